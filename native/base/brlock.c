/* The slow side of the big-reader lock (see brlock.h).
 *
 * Why it excludes: a reader makes its word odd and then looks at 'exclusive'; a writer
 * raises 'exclusive' and then looks at the words.  All four are sequentially consistent,
 * so at least one of the two sees the other.  A reader that sees a writer takes its
 * word back and queues on the mutex, which the writer holds for the whole section. */
#include "base/brlock.h"

void brlock_init(struct brlock *lock)
{
    atomic_init(&lock->exclusive, 0);
    atomic_init(&lock->queued, 0);
    lock->readers = NULL;
    atomic_init(&lock->list.state, 0);
    mutex_init(&lock->mutex, RANK_EXCLUSIVE);
}

void brlock_release(struct brlock *lock)
{
    mutex_release(&lock->mutex);
}

void brlock_join(struct brlock *lock, struct brlock_reader *reader)
{
    atomic_init(&reader->word, 0);
    mutex_lock(&lock->mutex);
    rwlock_write(&lock->list);
    reader->next = lock->readers;
    lock->readers = reader;
    rwlock_write_unlock(&lock->list);
    mutex_unlock(&lock->mutex);
}

void brlock_quit(struct brlock *lock, struct brlock_reader *reader)
{
    mutex_lock(&lock->mutex);
    rwlock_write(&lock->list);
    struct brlock_reader **link = &lock->readers;
    while (*link != NULL && *link != reader) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = reader->next;
    }
    rwlock_write_unlock(&lock->list);
    mutex_unlock(&lock->mutex);
}

static void wait_in_line(struct brlock *lock) ACQUIRES(lock->mutex)
{
    atomic_fetch_add_explicit(&lock->queued, 1, memory_order_relaxed);
    mutex_lock(&lock->mutex);
    atomic_fetch_sub_explicit(&lock->queued, 1, memory_order_relaxed);
}

void brlock_enter_slow(struct brlock *lock, struct brlock_reader *reader)
{
    uint64_t word = atomic_load_explicit(&reader->word, memory_order_relaxed);
    atomic_store_explicit(&reader->word, word + 1, memory_order_release);
    wait_in_line(lock);
    /* With the mutex held nobody is in an exclusive section, and whoever begins one next
     * sees this word: the batch may begin without another look at the flag, so a row of
     * exclusive sections cannot keep a reader out. */
    atomic_exchange_explicit(&reader->word, word + 2, memory_order_seq_cst);
    mutex_unlock(&lock->mutex);
}

void brlock_begin_exclusive(struct brlock *lock) UNCHECKED_LOCKING
{
    static const _Atomic uint32_t none;
    bool taken = brlock_try_exclusive(lock, &none);
    (void)taken; /* There was no obstacle. */
}

bool brlock_try_exclusive(struct brlock *lock, const _Atomic uint32_t *obstacle) UNCHECKED_LOCKING
{
    atomic_fetch_add_explicit(&lock->exclusive, 1, memory_order_seq_cst);
    wait_in_line(lock);
    for (struct brlock_reader *reader = lock->readers; reader != NULL; reader = reader->next) {
        unsigned turn = 0;
        while ((atomic_load_explicit(&reader->word, memory_order_seq_cst) & 1) != 0 &&
               atomic_load_explicit(obstacle, memory_order_relaxed) == 0) {
            thread_pause(turn++);
        }
    }
    if (atomic_load_explicit(obstacle, memory_order_relaxed) == 0) {
        return true;
    }
    brlock_end_exclusive(lock);
    return false;
}

void brlock_end_exclusive(struct brlock *lock) UNCHECKED_LOCKING
{
    /* A release, for the reader that sees 0 here and so enters without the mutex. */
    atomic_fetch_sub_explicit(&lock->exclusive, 1, memory_order_seq_cst);
    mutex_unlock(&lock->mutex);
}

void brlock_give_way(struct brlock *lock)
{
    enum { TURNS = 114 }; /* of thread_pause() */
    for (unsigned turn = 0;
         turn < TURNS && atomic_load_explicit(&lock->queued, memory_order_relaxed) != 0; turn++) {
        thread_pause(turn);
    }
}

void brlock_stamp(struct brlock *lock, const struct brlock_reader *self,
                  struct brlock_ticket *ticket)
{
    ticket->count = 0;
    ticket->overflowed = false;
    rwlock_read(&lock->list);
    for (struct brlock_reader *reader = lock->readers; reader != NULL; reader = reader->next) {
        if (reader == self) {
            continue;
        }
        /* A read that counts as a write: a batch that begins later reads this word's
         * history after it, and so sees what the caller has unlinked before. */
        uint64_t word = atomic_fetch_add_explicit(&reader->word, 0, memory_order_seq_cst);
        if ((word & 1) == 0) {
            continue;
        }
        if (ticket->count == BRLOCK_READERS_MAX) {
            ticket->overflowed = true;
            break;
        }
        ticket->seen[ticket->count].reader = reader;
        ticket->seen[ticket->count].word = word;
        ticket->count++;
    }
    rwlock_read_unlock(&lock->list);
}

/* Moves the seen word of 'reader' into the first 'kept' ones if it has not changed.
 * Returns the new number of those kept. */
static unsigned keep_if_same(struct brlock_ticket *ticket, unsigned kept,
                             struct brlock_reader *reader)
{
    for (unsigned i = kept; i < ticket->count; i++) {
        if (ticket->seen[i].reader != reader) {
            continue;
        }
        uint64_t word = ticket->seen[i].word;
        if (atomic_load_explicit(&reader->word, memory_order_acquire) != word) {
            return kept;
        }
        ticket->seen[i] = ticket->seen[kept];
        ticket->seen[kept].reader = reader;
        ticket->seen[kept].word = word;
        return kept + 1;
    }
    return kept;
}

bool brlock_passed(struct brlock *lock, struct brlock_ticket *ticket)
{
    if (ticket->count > 0) {
        /* Only readers in the list are looked at: one that quit may be gone from memory. */
        unsigned kept = 0;
        rwlock_read(&lock->list);
        for (struct brlock_reader *reader = lock->readers; reader != NULL && kept < ticket->count;
             reader = reader->next) {
            kept = keep_if_same(ticket, kept, reader);
        }
        rwlock_read_unlock(&lock->list);
        ticket->count = kept;
    }
    if (ticket->count == 0 && ticket->overflowed) {
        brlock_stamp(lock, NULL, ticket); /* For those that had no room before. */
    }
    return ticket->count == 0;
}
