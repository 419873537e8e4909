/* How far a consumer group has got: entries read and entries to come, known or not, as Redis
 * works them out; see stream_group.h. */
#include "store/stream_group.h"

/* XDEL leaves gaps, of which only the greatest id is known. */
bool stream_has_gap_from(const struct stream *stream, struct stream_id from)
{
    return stream->length > 0 && !stream_id_is_zero(stream->max_deleted_id) &&
           stream_id_compare(stream->first_id, stream->max_deleted_id) <= 0 &&
           stream_id_compare(from, stream->max_deleted_id) <= 0;
}

int64_t stream_entries_until(const struct stream *stream, struct stream_id id)
{
    if (stream->entries_added == 0) {
        return 0;
    }
    int order = stream_id_compare(id, stream->last_id);
    if (order == 0 || (order < 0 && stream->length == 0)) {
        return (int64_t)stream->entries_added;
    }
    bool whole = stream_id_is_zero(stream->max_deleted_id) ||
                 stream_id_compare(stream->max_deleted_id, stream->first_id) < 0;
    if (order > 0 || !whole) {
        return STREAM_READ_UNKNOWN;
    }
    int64_t before = (int64_t)(stream->entries_added - stream->length);
    int from_first = stream_id_compare(id, stream->first_id);
    return from_first < 0 ? before : from_first == 0 ? before + 1 : STREAM_READ_UNKNOWN;
}

bool stream_group_lag(const struct stream *stream, const struct stream_group *group, int64_t *lag)
{
    int64_t read = group->entries_read;
    *lag = 0;
    if (stream->entries_added == 0) {
        return true;
    }
    if (read == STREAM_READ_UNKNOWN || stream_has_gap_from(stream, group->last_id)) {
        read = stream_entries_until(stream, group->last_id);
    }
    *lag = (int64_t)(stream->entries_added - (uint64_t)read);
    return read != STREAM_READ_UNKNOWN;
}

void stream_group_advance(const struct stream *stream, struct stream_group *group,
                          struct stream_id id)
{
    int64_t read = group->entries_read;
    if (read != STREAM_READ_UNKNOWN && !stream_has_gap_from(stream, id)) {
        read = read < INT64_MAX ? read + 1 : STREAM_READ_UNKNOWN;
    } else if (stream->entries_added > 0) {
        read = stream_entries_until(stream, id);
    }
    /* XSETID may have set a number of entries to which no more can be added. */
    group->entries_read = read < 0 ? STREAM_READ_UNKNOWN : read;
    group->last_id = id;
}
