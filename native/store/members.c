/* Records and members of a member table; see members.h.
 *
 *   record of a set:   name's length | name
 *   record of a hash:  name's length | value's length * 2 + ends | end 8, if it ends | name | value
 *
 * Lengths are numbers of seven bits a byte, the lowest first, the highest bit of a byte
 * saying that more follow. */
#include "store/members_internal.h"

/* ---- Records ------------------------------------------------------------------------- */

enum { LENGTH_ROOM = 5 };

/* How a record's head reads. */
struct head {
    size_t name_len, value_len;
    size_t expiry_at, name_at; /* offsets in the record */
    bool ends;
};

static inline const unsigned char *read_length(const unsigned char *at, size_t *len)
{
    size_t value = *at & 0x7f;
    for (unsigned shift = 7; UNLIKELY((*at & 0x80) != 0); shift += 7) {
        value |= (size_t)(*++at & 0x7f) << shift;
    }
    *len = value;
    return at + 1;
}

static inline unsigned char *write_length(unsigned char *at, size_t len)
{
    for (; UNLIKELY(len > 0x7f); len >>= 7) {
        *at++ = (unsigned char)(len | 0x80);
    }
    *at++ = (unsigned char)len;
    return at;
}

static inline size_t length_size(size_t len)
{
    size_t size = 1;
    for (; UNLIKELY(len > 0x7f); len >>= 7) {
        size++;
    }
    return size;
}

static inline struct head read_head(bool with_values, const struct member *member)
{
    const unsigned char *start = (const unsigned char *)member;
    struct head head = { 0 };
    const unsigned char *at = read_length(start, &head.name_len);
    if (with_values) {
        size_t word;
        at = read_length(at, &word);
        head.value_len = word >> 1;
        head.ends = (word & 1) != 0;
        head.expiry_at = (size_t)(at - start);
        at += head.ends ? sizeof(int64_t) : 0;
    }
    head.name_at = (size_t)(at - start);
    return head;
}

static inline size_t head_size(const struct head *head)
{
    return head->name_at + head->name_len + head->value_len;
}

/* The bytes of a record with these parts. */
static inline size_t parts_size(bool with_values, const struct member_parts *parts)
{
    size_t size = length_size(parts->name.len) + parts->name.len;
    if (with_values) {
        bool ends = parts->expires_at_ms != MEMBER_NO_EXPIRY;
        size +=
            length_size(parts->value.len << 1) + (ends ? sizeof(int64_t) : 0) + parts->value.len;
    }
    return size;
}

static inline void copy_bytes(unsigned char *to, struct bytes from)
{
    if (from.len > 0) {
        memcpy(to, from.at, from.len);
    }
}

/* The name may be the one that is there already. */
static inline void write_record(bool with_values, struct member *member,
                                const struct member_parts *parts)
{
    unsigned char *at = write_length((unsigned char *)member, parts->name.len);
    if (with_values) {
        bool ends = parts->expires_at_ms != MEMBER_NO_EXPIRY;
        at = write_length(at, parts->value.len << 1 | (ends ? 1 : 0));
        if (ends) {
            memcpy(at, &parts->expires_at_ms, sizeof parts->expires_at_ms);
            at += sizeof parts->expires_at_ms;
        }
    }
    if (parts->name.at != (const char *)at) {
        copy_bytes(at, parts->name);
    }
    copy_bytes(at + parts->name.len, parts->value);
}

static size_t record_size(const struct members *members, const struct member *member)
{
    struct head head = read_head(members->with_values, member);
    return head_size(&head);
}

static void record_free(struct store_thread *thread, const struct members *members,
                        struct member *member)
{
    heap_free(thread, member, record_size(members, member));
}

void member_read(const struct members *members, const struct member *member,
                 struct member_parts *parts)
{
    const char *start = (const char *)member;
    struct head head = read_head(members->with_values, member);
    parts->name = (struct bytes){ start + head.name_at, head.name_len };
    parts->value = (struct bytes){ start + head.name_at + head.name_len, head.value_len };
    parts->expires_at_ms = MEMBER_NO_EXPIRY;
    if (UNLIKELY(head.ends)) {
        memcpy(&parts->expires_at_ms, start + head.expiry_at, sizeof parts->expires_at_ms);
    }
}

int64_t member_end(const struct members *members, const struct member *member)
{
    struct member_parts parts;
    if (LIKELY(members->ends == NULL)) {
        return MEMBER_NO_EXPIRY;
    }
    member_read(members, member, &parts);
    return parts.expires_at_ms;
}

struct bytes member_name(const struct members *members, const struct member *member)
{
    struct head head = read_head(members->with_values, member);
    return (struct bytes){ (const char *)member + head.name_at, head.name_len };
}

/* ---- Life ---------------------------------------------------------------------------------- */

struct members *members_create(struct store_thread *thread, bool with_values)
{
    struct members *members = heap_alloc(thread, sizeof *members);
    struct segment **directory = heap_alloc(thread, sizeof *directory);
    struct segment *segment = segment_create(thread, 1, 0);
    if (members == NULL || directory == NULL || segment == NULL) {
        heap_free(thread, members, sizeof *members);
        heap_free(thread, directory, sizeof *directory);
        if (segment != NULL) {
            segment_free(thread, segment);
        }
        return NULL;
    }
    *directory = segment;
    *members = (struct members){ .directory = directory,
                                 .deepest = 1,
                                 .tweak = random_next(&thread->dice),
                                 .with_values = with_values };
    return members;
}

static void free_segment_members(struct store_thread *thread, const struct members *members,
                                 const struct segment *segment)
{
    for (uint32_t at = 0; at < segment->size; at++) {
        const struct bucket *bucket = &segment->buckets[at];
        if (at + 1 < segment->size) {
            prefetch_members(bucket + 1);
        }
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            record_free(thread, members, bucket_pointer(bucket, match_slot(used)));
        }
    }
}

bool members_destroy_step(struct store_thread *thread, struct members *members, int64_t until_us)
{
    uint32_t len = UINT32_C(1) << members->depth;
    while (members->swept < len) {
        struct segment *segment = members->directory[members->swept];
        members->swept += segment_span(members, segment);
        free_segment_members(thread, members, segment);
        segment_free(thread, segment);
        if (members->swept < len && value_time_is_up(thread, until_us)) {
            return true;
        }
    }
    ends_release(members);
    heap_free(thread, members->directory, sizeof(struct segment *) << members->depth);
    heap_free(thread, members, sizeof *members);
    return false;
}

void members_destroy(struct store_thread *thread, struct members *members)
{
    if (members != NULL) {
        (void)members_destroy_step(thread, members, INT64_MAX);
    }
}

/* A copy of a segment with copies of its members; NULL when memory is short. */
static struct segment *copy_segment(struct store_thread *thread, const struct members *members,
                                    const struct segment *from)
{
    struct segment *to = segment_create(thread, from->size, from->depth);
    if (to == NULL) {
        return NULL;
    }
    memcpy(to, from, segment_bytes(from->size));
    for (uint32_t at = 0; at < to->size; at++) {
        struct bucket *bucket = &to->buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            unsigned slot = match_slot(used);
            const struct member *member = bucket_pointer(bucket, slot);
            size_t size = record_size(members, member);
            struct member *copy = heap_alloc(thread, size);
            if (copy == NULL) {
                /* What has no copy yet is taken out. */
                for (; used != 0; used = match_next(used)) {
                    bucket->tags[match_slot(used)] = 0;
                }
                while (++at < to->size) {
                    memset(&to->buckets[at], 0, sizeof to->buckets[at]);
                }
                free_segment_members(thread, members, to);
                segment_free(thread, to);
                return NULL;
            }
            memcpy(copy, member, size);
            bucket_point(bucket, slot, copy);
        }
    }
    return to;
}

struct members *members_copy(struct store_thread *thread, const struct members *members)
{
    uint32_t len = UINT32_C(1) << members->depth;
    struct members *copy = heap_alloc(thread, sizeof *copy);
    struct segment **directory = heap_alloc(thread, sizeof(struct segment *) * len);
    if (copy == NULL || directory == NULL || !ends_copy(copy, members)) {
        heap_free(thread, copy, sizeof *copy);
        heap_free(thread, directory, sizeof(struct segment *) * len);
        return NULL;
    }
    struct member_ends *ends = copy->ends;
    *copy = *members;
    copy->directory = directory;
    copy->ends = ends;
    for (uint32_t at = 0; at < len;) {
        const struct segment *from = members->directory[at];
        struct segment *to = copy_segment(thread, members, from);
        if (to == NULL) {
            for (uint32_t done = 0; done < at;) {
                struct segment *segment = directory[done];
                done += segment_span(copy, segment);
                free_segment_members(thread, copy, segment);
                segment_free(thread, segment);
            }
            ends_release(copy);
            heap_free(thread, directory, sizeof(struct segment *) * len);
            heap_free(thread, copy, sizeof *copy);
            return NULL;
        }
        for (uint32_t i = segment_span(members, from); i > 0; i--) {
            directory[at++] = to;
        }
    }
    return copy;
}

uint64_t members_count(const struct members *members)
{
    return members->count;
}

bool members_may_end(const struct members *members)
{
    return members->ends != NULL;
}

size_t members_memory(const struct members *members, size_t samples)
{
    uint32_t len = UINT32_C(1) << members->depth;
    size_t bytes = heap_size(sizeof *members) + heap_size(sizeof(struct segment *) * len);
    for (uint32_t at = 0; at < len; at += segment_span(members, members->directory[at])) {
        bytes += segment_bytes(members->directory[at]->size);
    }
    struct members_walk walk;
    size_t looked = 0, records = 0;
    members_walk_begin(&walk, members);
    for (const struct member *member;
         (samples == 0 || looked < samples) && (member = members_walk_next(&walk)) != NULL;
         looked++) {
        records += heap_size(record_size(members, member));
    }
    return looked == 0
               ? bytes
               : bytes + (size_t)((double)records / (double)looked * (double)members->count);
}

/* ---- Lookups and changes --------------------------------------------------------------------- */

static inline bool has_name(const struct members *members, const struct member *member,
                            struct bytes name)
{
    struct head head = read_head(members->with_values, member);
    return head.name_len == name.len &&
           key_same((const char *)member + head.name_at, name.at, name.len);
}

static inline struct member *find_hashed(const struct members *members, uint64_t hash,
                                         struct bytes name, struct member_place *place)
{
    struct segment *segment = members->directory[directory_index(members, hash)];
    uint32_t pos = segment_pos(segment, hash);
    uint8_t tag = place_tag(pos_place(pos));
    uint32_t at = pos_home(pos, segment->size);
    for (uint32_t left = segment->size; left > 0; left--) {
        struct bucket *bucket = &segment->buckets[at];
        for (uint64_t match = bucket_match(bucket, tag); match != 0; match = match_next(match)) {
            struct member *member = bucket_pointer(bucket, match_slot(match));
            if (LIKELY(has_name(members, member, name))) {
                *place = (struct member_place){ segment, bucket, match_slot(match) };
                return member;
            }
        }
        if (!bucket_overflows(bucket)) {
            break;
        }
        at = bucket_after(at, segment->size);
    }
    return NULL;
}

struct member *members_find(struct store_thread *thread, const struct members *members,
                            struct bytes name, struct member_place *place)
{
    struct member_place found;
    struct member *member = find_hashed(members, asked_hash(thread, members, name), name, &found);
    if (member != NULL && place != NULL) {
        *place = found;
    }
    return member;
}

void members_prefetch(struct store_thread *thread, const struct members *members,
                      const struct member_ahead *ahead, uint32_t count)
{
    struct {
        const struct bucket *bucket;
        uint8_t tag;
    } places[MEMBERS_AHEAD_MAX];
    struct members_ahead *known = &thread->ahead;
    count = count < MEMBERS_AHEAD_MAX ? count : MEMBERS_AHEAD_MAX;
    known->next = 0;
    known->count = count;
    known->tweak = members->tweak;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = member_hash(thread, members, ahead[i].name);
        known->name[i] = ahead[i].name;
        known->hash[i] = hash;
        const struct segment *segment = members->directory[directory_index(members, hash)];
        uint32_t pos = segment_pos(segment, hash);
        places[i].bucket = &segment->buckets[pos_home(pos, segment->size)];
        places[i].tag = place_tag(pos_place(pos));
        __builtin_prefetch(places[i].bucket);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t match = bucket_match(places[i].bucket, places[i].tag);
        if (match != 0) {
            __builtin_prefetch(bucket_pointer(places[i].bucket, match_slot(match)));
        }
    }
}

/* Adds a record for a name that is not there. */
static enum members_put insert(struct store_thread *thread, struct members *members, uint64_t hash,
                               const struct member_parts *parts)
{
    struct member *member = heap_alloc(thread, parts_size(members->with_values, parts));
    if (member == NULL) {
        return MEMBERS_NO_MEMORY;
    }
    write_record(members->with_values, member, parts);
    if (!members_reserve(thread, members, hash) ||
        !ends_reserve(members, MEMBER_NO_EXPIRY, parts->expires_at_ms)) {
        record_free(thread, members, member);
        return MEMBERS_NO_MEMORY;
    }
    struct segment *segment = members->directory[directory_index(members, hash)];
    uint32_t pos = segment_pos(segment, hash);
    buckets_put(segment->buckets, segment->size, pos_home(pos, segment->size), pos_place(pos),
                member);
    segment->count++;
    members->count++;
    ends_changed(thread, members, hash, MEMBER_NO_EXPIRY, parts->expires_at_ms);
    return MEMBERS_ADDED;
}

enum members_put members_add(struct store_thread *thread, struct members *members,
                             struct bytes name)
{
    uint64_t hash = asked_hash(thread, members, name);
    struct member_place place;
    if (find_hashed(members, hash, name, &place) != NULL) {
        return MEMBERS_PRESENT;
    }
    struct member_parts parts = { name, { NULL, 0 }, MEMBER_NO_EXPIRY };
    return insert(thread, members, hash, &parts);
}

/* Puts a new record in the place of the one there, of which the parts may be borrowed. */
static bool replace(struct store_thread *thread, struct members *members, struct member_place place,
                    const struct member_parts *parts)
{
    struct member *member = bucket_pointer(place.bucket, place.slot);
    struct member *moved = heap_alloc(thread, parts_size(true, parts));
    if (moved == NULL) {
        return false;
    }
    write_record(true, moved, parts);
    bucket_point(place.bucket, place.slot, moved);
    record_free(thread, members, member);
    return true;
}

/* The same with parts that are not borrowed from there: in place if that can be. */
static bool rewrite(struct store_thread *thread, struct members *members, struct member_place place,
                    const struct member_parts *parts)
{
    struct member *member = bucket_pointer(place.bucket, place.slot);
    size_t before = record_size(members, member), now = parts_size(true, parts);
    if (heap_size(before) != heap_size(now)) {
        return replace(thread, members, place, parts);
    }
    write_record(true, member, parts);
    return true;
}

enum members_put members_set(struct store_thread *thread, struct members *members,
                             struct bytes name, struct bytes value, int64_t expires_at_ms)
{
    uint64_t hash = asked_hash(thread, members, name);
    struct member_parts parts = { name, value, expires_at_ms };
    struct member_place place;
    struct member *member = find_hashed(members, hash, name, &place);
    if (member == NULL) {
        return insert(thread, members, hash, &parts);
    }
    int64_t end = member_end(members, member);
    if (!ends_reserve(members, end, expires_at_ms) || !rewrite(thread, members, place, &parts)) {
        return MEMBERS_NO_MEMORY;
    }
    ends_changed(thread, members, hash, end, expires_at_ms);
    return MEMBERS_PRESENT;
}

bool members_expire_at(struct store_thread *thread, struct members *members,
                       struct member_place place, int64_t expires_at_ms)
{
    struct member *member = bucket_pointer(place.bucket, place.slot);
    struct member_parts parts;
    member_read(members, member, &parts);
    int64_t before = parts.expires_at_ms;
    uint64_t hash = member_hash(thread, members, parts.name);
    if (!ends_reserve(members, before, expires_at_ms)) {
        return false;
    }
    parts.expires_at_ms = expires_at_ms;
    if (before != MEMBER_NO_EXPIRY && expires_at_ms != MEMBER_NO_EXPIRY) {
        struct head head = read_head(true, member);
        memcpy((char *)member + head.expiry_at, &expires_at_ms, sizeof expires_at_ms);
    } else if (before != expires_at_ms && !replace(thread, members, place, &parts)) {
        return false;
    }
    ends_changed(thread, members, hash, before, expires_at_ms);
    return true;
}

static void take_out(struct store_thread *thread, struct members *members, uint64_t hash,
                     struct member_place place)
{
    struct segment *segment = place.segment;
    struct member *member = bucket_pointer(place.bucket, place.slot);
    buckets_take(segment->buckets, segment->size,
                 pos_home(segment_pos(segment, hash), segment->size), place.bucket, place.slot);
    segment->count--;
    members->count--;
    int64_t end = member_end(members, member);
    record_free(thread, members, member);
    ends_changed(thread, members, hash, end, MEMBER_NO_EXPIRY);
    members_settle(thread, members, hash);
}

void members_remove_at(struct store_thread *thread, struct members *members,
                       struct member_place place)
{
    struct bytes name = member_name(members, bucket_pointer(place.bucket, place.slot));
    take_out(thread, members, member_hash(thread, members, name), place);
}

bool members_remove(struct store_thread *thread, struct members *members, struct bytes name)
{
    uint64_t hash = asked_hash(thread, members, name);
    struct member_place place;
    if (find_hashed(members, hash, name, &place) == NULL) {
        return false;
    }
    take_out(thread, members, hash, place);
    return true;
}
