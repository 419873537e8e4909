/* Consumer groups of streams; see stream_group.h. */
#include "store/stream_group.h"

#include "store/heap.h"

/* ---- Sorted vectors of named things ---------------------------------------------------------- */

static struct bytes name_of_group(const void *names, uint32_t place)
{
    return stream_group_name(((const struct stream_names *)names)->at[place]);
}

static struct bytes name_of_consumer(const void *names, uint32_t place)
{
    return stream_consumer_name(((const struct stream_names *)names)->at[place]);
}

static size_t vector_size(uint32_t room)
{
    return (size_t)room * sizeof(void *);
}

/* Puts 'thing' where its name belongs.  False when memory is short. */
static bool insert(struct store_thread *thread, struct stream_names *names, void *thing,
                   struct bytes name, bytes_name_at *name_at)
{
    bool found;
    uint32_t at = bytes_search(names, names->count, name_at, name, &found);
    if (names->count == names->room) {
        uint32_t room = names->room == 0 ? 1 : names->room * 2;
        void **larger = heap_alloc(thread, vector_size(room));
        if (larger == NULL) {
            return false;
        }
        if (names->count > 0) {
            memcpy(larger, names->at, vector_size(names->count));
        }
        heap_free(thread, names->at, vector_size(names->room));
        names->at = larger;
        names->room = room;
    }
    memmove(names->at + at + 1, names->at + at, vector_size(names->count - at));
    names->at[at] = thing;
    names->count++;
    return true;
}

static void take_out(struct stream_names *names, struct bytes name, bytes_name_at *name_at)
{
    bool found;
    uint32_t at = bytes_search(names, names->count, name_at, name, &found);
    if (found) {
        names->count--;
        memmove(names->at + at, names->at + at + 1, vector_size(names->count - at));
    }
}

/* ---- Groups ------------------------------------------------------------------------------------ */

struct stream_group *stream_group_find(const struct stream *stream, struct bytes name)
{
    bool found;
    uint32_t at = bytes_search(&stream->groups, stream->groups.count, name_of_group, name, &found);
    return found ? stream_group_at(stream, at) : NULL;
}

static size_t group_size(size_t name_len)
{
    return sizeof(struct stream_group) + name_len;
}

static size_t consumer_size(size_t name_len)
{
    return sizeof(struct stream_consumer) + name_len;
}

struct stream_group *stream_group_create(struct store_thread *thread, struct stream *stream,
                                         struct bytes name, struct stream_id last_id,
                                         int64_t entries_read)
{
    struct stream_group *group = heap_alloc(thread, group_size(name.len));
    if (group == NULL) {
        return NULL;
    }
    *group = (struct stream_group){ .last_id = last_id,
                                    .entries_read = entries_read,
                                    .name_len = (uint32_t)name.len };
    memcpy(group->name, name.at, name.len);
    if (!insert(thread, &stream->groups, group, name, name_of_group)) {
        heap_free(thread, group, group_size(name.len));
        return NULL;
    }
    return group;
}

static void free_consumer(struct store_thread *thread, struct stream_consumer *consumer)
{
    stream_map_release(thread, &consumer->pending);
    heap_free(thread, consumer, consumer_size(consumer->name_len));
}

/* The vector's memory and the group itself, all else being gone. */
static void free_group(struct store_thread *thread, struct stream_group *group)
{
    stream_map_release(thread, &group->pending);
    heap_free(thread, group->consumers.at, vector_size(group->consumers.room));
    heap_free(thread, group, group_size(group->name_len));
}

/* Frees pending entries from the last, then consumers; true when there are none left. */
static bool free_some(struct store_thread *thread, struct stream_group *group, size_t *budget)
{
    struct stream_place last;
    for (; *budget > 0 && stream_map_last(&group->pending, &last); (*budget)--) {
        heap_free(thread, stream_map_value(&group->pending, last), sizeof(struct stream_pending));
        stream_map_remove_at(thread, &group->pending, last);
    }
    for (; *budget > 0 && group->consumers.count > 0; (*budget)--) {
        free_consumer(thread, group->consumers.at[--group->consumers.count]);
    }
    return group->consumers.count == 0 && group->pending.count == 0;
}

bool stream_groups_free_some(struct store_thread *thread, struct stream *stream, size_t *budget)
{
    while (stream->groups.count > 0) {
        struct stream_group *group = stream_group_at(stream, stream->groups.count - 1);
        if (!free_some(thread, group, budget)) {
            return false;
        }
        stream->groups.count--;
        free_group(thread, group);
    }
    heap_free(thread, stream->groups.at, vector_size(stream->groups.room));
    stream->groups = (struct stream_names){ 0 };
    return true;
}

void stream_group_destroy(struct store_thread *thread, struct stream *stream,
                          struct stream_group *group)
{
    size_t budget = SIZE_MAX;
    take_out(&stream->groups, stream_group_name(group), name_of_group);
    (void)free_some(thread, group, &budget);
    free_group(thread, group);
}

/* ---- Consumers --------------------------------------------------------------------------------- */

struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name)
{
    bool found;
    uint32_t at =
        bytes_search(&group->consumers, group->consumers.count, name_of_consumer, name, &found);
    return found ? stream_consumer_at(group, at) : NULL;
}

struct stream_consumer *stream_consumer_create(struct store_thread *thread,
                                               struct stream_group *group, struct bytes name,
                                               int64_t now_ms)
{
    struct stream_consumer *consumer = heap_alloc(thread, consumer_size(name.len));
    if (consumer == NULL) {
        return NULL;
    }
    *consumer = (struct stream_consumer){ .seen_ms = now_ms,
                                          .active_ms = -1,
                                          .name_len = (uint32_t)name.len };
    memcpy(consumer->name, name.at, name.len);
    if (!insert(thread, &group->consumers, consumer, name, name_of_consumer)) {
        heap_free(thread, consumer, consumer_size(name.len));
        return NULL;
    }
    return consumer;
}

void stream_consumer_destroy(struct store_thread *thread, struct stream_group *group,
                             struct stream_consumer *consumer)
{
    struct stream_place place;
    for (bool any = stream_map_first(&consumer->pending, &place); any;
         any = stream_map_next(&consumer->pending, &place)) {
        struct stream_id id = stream_map_id(&consumer->pending, place);
        heap_free(thread, stream_map_take(thread, &group->pending, id),
                  sizeof(struct stream_pending));
    }
    take_out(&group->consumers, stream_consumer_name(consumer), name_of_consumer);
    free_consumer(thread, consumer);
}

/* ---- Pending entries ------------------------------------------------------------------------------ */

struct stream_pending *stream_pending_load(struct store_thread *thread, struct stream_group *group,
                                           struct stream_id id, int64_t delivered_ms,
                                           uint64_t deliveries)
{
    struct stream_pending *pending = heap_alloc(thread, sizeof *pending);
    if (pending == NULL) {
        return NULL;
    }
    *pending = (struct stream_pending){ delivered_ms, deliveries, NULL };
    if (!stream_map_insert(thread, &group->pending, id, pending)) {
        heap_free(thread, pending, sizeof *pending);
        return NULL;
    }
    return pending;
}

struct stream_pending *stream_pending_create(struct store_thread *thread,
                                             struct stream_group *group,
                                             struct stream_consumer *consumer, struct stream_id id,
                                             int64_t now_ms)
{
    struct stream_pending *pending = stream_pending_load(thread, group, id, now_ms, 1);
    if (pending == NULL) {
        return NULL;
    }
    if (!stream_map_insert(thread, &consumer->pending, id, pending)) {
        (void)stream_map_take(thread, &group->pending, id);
        heap_free(thread, pending, sizeof *pending);
        return NULL;
    }
    pending->consumer = consumer;
    return pending;
}

bool stream_pending_assign(struct store_thread *thread, struct stream_pending *pending,
                           struct stream_id id, struct stream_consumer *consumer)
{
    if (pending->consumer == consumer) {
        return true;
    }
    if (!stream_map_insert(thread, &consumer->pending, id, pending)) {
        return false;
    }
    if (pending->consumer != NULL) {
        (void)stream_map_take(thread, &pending->consumer->pending, id);
    }
    pending->consumer = consumer;
    return true;
}

bool stream_pending_destroy(struct store_thread *thread, struct stream_group *group,
                            struct stream_id id)
{
    struct stream_pending *pending = stream_map_take(thread, &group->pending, id);
    if (pending == NULL) {
        return false;
    }
    (void)stream_map_take(thread, &pending->consumer->pending, id);
    heap_free(thread, pending, sizeof *pending);
    return true;
}
