/* One pair of functions a type, for value.c, which says what they do.  Those that read give
 * '*value' a structure only when they succeed. */
#ifndef RDB_TYPES_H
#define RDB_TYPES_H

#include "rdb/value.h"

/* Each type's value behind its type byte.  Writing needs the key held for reading; reading fails by
 * the reader. */
void rdb_list_write(struct rdb_writer *writer, const struct entry *entry);
void rdb_list_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value);

enum rdb_type rdb_set_type(const struct entry *entry, enum rdb_version version);
void rdb_set_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type);
void rdb_set_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                  struct rdb_value *value);

enum rdb_type rdb_hash_type(const struct store_thread *thread, const struct entry *entry);
bool rdb_hash_is_there(const struct store_thread *thread, const struct entry *entry);
void rdb_hash_write(struct rdb_writer *writer, const struct store_thread *thread,
                    const struct entry *entry, enum rdb_type type);
void rdb_hash_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value);

enum rdb_type rdb_zset_type(const struct entry *entry);
void rdb_zset_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type);
void rdb_zset_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value);

void rdb_stream_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type);
void rdb_stream_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                     struct rdb_value *value);

#endif
