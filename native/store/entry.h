/* One key and its value, in one allocation of a slab size class:
 *
 *   header 8 | wide 8, if ENTRY_WIDE | expiry 8, if ENTRY_EXPIRES | key | value
 *
 * The value is the string's bytes, or for ENTRY_BLOB a pointer to a blob, or for the
 * other types a pointer to their structure (8 bytes at an odd address: memcpy it).
 * The wide part holds what does not fit the header: a database other than 0, a key of
 * 255 bytes or more. */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/blob.h"

enum value_type {
    VALUE_STRING,
    VALUE_LIST,
    VALUE_SET,
    VALUE_SORTED_SET,
    VALUE_HASH,
    VALUE_STREAM,
    VALUE_TYPES,
    VALUE_ANY = 15, /* of keyspace_find(): do not check */
};

/* What OBJECT ENCODING reports.  Strings are always kept as text; the encoding says how
 * Redis would have them after the same commands. */
enum encoding {
    ENCODING_RAW,
    ENCODING_EMBSTR,
    ENCODING_INT,
    ENCODING_LISTPACK,
    ENCODING_QUICKLIST,
    ENCODING_INTSET,
    ENCODING_HASHTABLE,
    ENCODING_SKIPLIST,
    ENCODING_STREAM,
};

enum entry_flags {
    ENTRY_EXPIRES = 1 << 0,
    ENTRY_WIDE = 1 << 1,
    ENTRY_BLOB = 1 << 2,       /* a string kept in a blob */
    ENTRY_EPOCH = 1 << 3,      /* the parity of the snapshot epoch in which it was last written */
    ENTRY_FIELDS_END = 1 << 4, /* a hash with fields that may end */
};

/* Strings longer than this live in a blob; so the value length fits 16 bits and the
 * whole entry fits the slab. */
enum { ENTRY_INLINE_MAX = 4096, ENTRY_SHORT_KEY_MAX = 254, ENTRY_EMBSTR_MAX = 44 };

struct entry {
    uint8_t type : 4;
    uint8_t encoding : 4;
    uint8_t flags;
    uint8_t short_key_len; /* 255 when ENTRY_WIDE */
    uint8_t access_high;   /* access clock: 24 bits, see access.h */
    uint16_t access_low;
    uint16_t value_len; /* bytes of an inline string; 8 for a pointer */
    char tail[];
};

struct entry_wide {
    uint32_t database;
    uint32_t key_len;
};

/* Bytes of the tail before the key. */
static inline size_t entry_key_offset(const struct entry *entry)
{
    return ((entry->flags & ENTRY_WIDE) != 0 ? sizeof(struct entry_wide) : 0) +
           ((entry->flags & ENTRY_EXPIRES) != 0 ? sizeof(int64_t) : 0);
}

/* Bytes of the key. */
static inline size_t entry_key_len(const struct entry *entry)
{
    if (__builtin_expect((entry->flags & ENTRY_WIDE) != 0, 0)) {
        struct entry_wide wide;
        memcpy(&wide, entry->tail, sizeof wide);
        return wide.key_len;
    }
    return entry->short_key_len;
}

/* The database's id, not its number. */
static inline uint32_t entry_database(const struct entry *entry)
{
    if (__builtin_expect((entry->flags & ENTRY_WIDE) != 0, 0)) {
        struct entry_wide wide;
        memcpy(&wide, entry->tail, sizeof wide);
        return wide.database;
    }
    return 0;
}

/* The key, borrowed as long as the entry is. */
static inline struct bytes entry_key(const struct entry *entry)
{
    return (struct bytes){ entry->tail + entry_key_offset(entry), entry_key_len(entry) };
}

/* Where the value begins, in the entry itself. */
static inline char *entry_value_at(struct entry *entry)
{
    return entry->tail + entry_key_offset(entry) + entry_key_len(entry);
}

/* The Unix time in milliseconds at which the key ends, or -1 when it does not. */
static inline int64_t entry_expires_at(const struct entry *entry)
{
    if ((entry->flags & ENTRY_EXPIRES) == 0) {
        return -1;
    }
    int64_t at;
    memcpy(&at, entry->tail + ((entry->flags & ENTRY_WIDE) != 0 ? sizeof(struct entry_wide) : 0),
           sizeof at);
    return at;
}

/* Of an entry with ENTRY_EXPIRES. */
static inline void entry_write_expiry(struct entry *entry, int64_t at)
{
    memcpy(entry->tail + ((entry->flags & ENTRY_WIDE) != 0 ? sizeof(struct entry_wide) : 0), &at,
           sizeof at);
}

/* The value's structure or blob, for entries that hold a pointer; borrowed. */
static inline void *entry_pointer(const struct entry *entry)
{
    void *pointer;
    memcpy(&pointer, entry->tail + entry_key_offset(entry) + entry_key_len(entry), sizeof pointer);
    return pointer;
}

/* Of an entry that holds a structure: writes another pointer, another encoding. */
static inline void entry_set_pointer(struct entry *entry, void *pointer)
{
    memcpy(entry_value_at(entry), &pointer, sizeof pointer);
}

/* The encoding of a collection; its pointer is set apart from it. */
static inline void entry_set_encoding(struct entry *entry, enum encoding encoding)
{
    entry->encoding = encoding & 15;
}

/* The blob of a large string, or NULL when the string is inline; borrowed. */
static inline struct blob *entry_blob(const struct entry *entry)
{
    return (entry->flags & ENTRY_BLOB) != 0 ? entry_pointer(entry) : NULL;
}

/* The bytes of a string value, borrowed until the key is written or unlocked. */
static inline struct bytes entry_string(const struct entry *entry)
{
    if (__builtin_expect((entry->flags & ENTRY_BLOB) != 0, 0)) {
        return blob_bytes(entry_pointer(entry));
    }
    return (struct bytes){ entry->tail + entry_key_offset(entry) + entry_key_len(entry),
                           entry->value_len };
}

/* The access clock.  Threads that hold the key only for reading note accesses too, hence
 * the relaxed atomics; a torn pair of halves is a slightly wrong clock and does no harm. */
static inline uint32_t entry_access(const struct entry *entry)
{
    return ((uint32_t)__atomic_load_n(&entry->access_high, __ATOMIC_RELAXED) << 16) |
           __atomic_load_n(&entry->access_low, __ATOMIC_RELAXED);
}

/* When or how often it was used, 24 bits; readers may set it at the same time. */
static inline void entry_set_access(struct entry *entry, uint32_t access)
{
    __atomic_store_n(&entry->access_low, (uint16_t)access, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->access_high, (uint8_t)(access >> 16), __ATOMIC_RELAXED);
}

/* The bytes of the whole allocation as it is laid out now. */
static inline size_t entry_size(const struct entry *entry)
{
    return sizeof *entry + entry_key_offset(entry) + entry_key_len(entry) + entry->value_len;
}

/* "string", "list" ... and "raw", "embstr" ...: Redis's names.  Constant. */
struct bytes value_type_name(enum value_type type);
struct bytes encoding_name(enum encoding encoding);

#endif
