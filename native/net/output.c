/* Sending replies; see output.h. */
#include "net/output.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/blob.h"

enum { IOV_ROOM = 64 };

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE is set on the socket */
#endif

struct output_range output_range(struct reply_mark from, struct reply_mark to)
{
    return (struct output_range){
        .at = from.len, .end = to.len, .part = from.parts, .part_end = to.parts
    };
}

size_t output_left(const struct reply *reply, const struct output_range *range)
{
    size_t left = range->end - range->at;
    for (uint32_t i = range->part; i < range->part_end; i++) {
        left += reply->parts[i].len;
    }
    return left - range->part_sent;
}

/* Lists the next pieces in order; returns their count. */
static int list_pieces(const struct reply *reply, const struct output_range *range,
                       struct iovec *pieces)
{
    int count = 0;
    size_t at = range->at;
    size_t sent = range->part_sent;
    for (uint32_t i = range->part; i < range->part_end && count + 2 <= IOV_ROOM; i++) {
        const struct reply_part *part = &reply->parts[i];
        if (part->offset > at) {
            pieces[count++] = (struct iovec){ reply->out.at + at, part->offset - at };
            at = part->offset;
        }
        pieces[count++] = (struct iovec){ part->value->at + part->from + sent, part->len - sent };
        sent = 0;
        if (i + 1 == range->part_end && range->end > at && count < IOV_ROOM) {
            pieces[count++] = (struct iovec){ reply->out.at + at, range->end - at };
        }
    }
    if (range->part == range->part_end && range->end > at) {
        pieces[count++] = (struct iovec){ reply->out.at + at, range->end - at };
    }
    return count;
}

/* Moves the range on by 'sent' bytes. */
static void advance(const struct reply *reply, struct output_range *range, size_t sent)
{
    while (sent > 0 || range->part < range->part_end) {
        size_t until =
            range->part < range->part_end ? reply->parts[range->part].offset : range->end;
        if (range->at < until) {
            size_t step = until - range->at < sent ? until - range->at : sent;
            if (step == 0) {
                return;
            }
            range->at += step;
            sent -= step;
            continue;
        }
        if (range->part == range->part_end) {
            return;
        }
        size_t rest = reply->parts[range->part].len - range->part_sent;
        if (sent < rest) {
            range->part_sent += sent;
            return;
        }
        sent -= rest;
        range->part++;
        range->part_sent = 0;
    }
}

enum output_result output_send(int fd, const struct reply *reply, struct output_range *range,
                               uint64_t *sent)
{
    while (!output_done(range)) {
        ssize_t count;
        if (range->part == range->part_end) {
            count = send(fd, reply->out.at + range->at, range->end - range->at, MSG_NOSIGNAL);
        } else {
            struct iovec pieces[IOV_ROOM];
            struct msghdr message = { .msg_iov = pieces };
            message.msg_iovlen = (__typeof__(message.msg_iovlen))list_pieces(reply, range, pieces);
            count = sendmsg(fd, &message, MSG_NOSIGNAL);
        }
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN || errno == EWOULDBLOCK ? OUTPUT_BLOCKED : OUTPUT_FAILED;
        }
        *sent += (uint64_t)count;
        advance(reply, range, (size_t)count);
    }
    return OUTPUT_SENT;
}

/* Drops what was sent, so that a reader who is slow for ever does not make it grow. */
static void compact(struct outbox *outbox)
{
    struct output_range *left = &outbox->left;
    struct reply *kept = &outbox->kept;
    if (left->at <= kept->out.len / 2 && left->part <= kept->part_count / 2) {
        return;
    }
    uint32_t gone = left->part;
    for (uint32_t i = 0; i < gone; i++) {
        blob_unref(kept->parts[i].value);
    }
    memmove(kept->parts, kept->parts + gone, (kept->part_count - gone) * sizeof *kept->parts);
    kept->part_count -= gone;
    for (uint32_t i = 0; i < kept->part_count; i++) {
        kept->parts[i].offset -= left->at;
    }
    left->part = 0;
    left->part_end = kept->part_count;
    buf_consume(&kept->out, left->at);
    left->end -= left->at;
    left->at = 0;
}

MUST_CHECK static bool add_parts(struct reply *kept, const struct reply *reply,
                                 const struct output_range *range)
{
    uint32_t count = range->part_end - range->part;
    if (count > kept->part_room - kept->part_count) {
        uint32_t room = (kept->part_count + count) * 2;
        struct reply_part *parts = mem_try_realloc(kept->parts, room * sizeof *parts);
        if (parts == NULL) {
            return false;
        }
        kept->parts = parts;
        kept->part_room = room;
    }
    size_t sent = range->part_sent;
    for (uint32_t i = range->part; i < range->part_end; i++) {
        struct reply_part part = reply->parts[i];
        blob_ref(part.value);
        part.offset = kept->out.len + (part.offset - range->at);
        part.from += sent;
        part.len -= sent;
        sent = 0;
        kept->parts[kept->part_count++] = part;
    }
    return true;
}

bool outbox_add(struct outbox **outbox, const struct reply *reply, const struct output_range *range)
{
    if (output_done(range)) {
        return true;
    }
    if (*outbox == NULL) {
        *outbox = mem_try_alloc(sizeof **outbox);
        if (*outbox == NULL) {
            return false;
        }
        memset(*outbox, 0, sizeof **outbox);
    }
    struct outbox *box = *outbox;
    compact(box);
    size_t len = range->end - range->at;
    if (!buf_reserve(&box->kept.out, len) || !add_parts(&box->kept, reply, range)) {
        return false;
    }
    if (len > 0) {
        memcpy(box->kept.out.at + box->kept.out.len, reply->out.at + range->at, len);
        box->kept.out.len += len;
    }
    box->left.end = box->kept.out.len;
    box->left.part_end = box->kept.part_count;
    box->unsent += output_left(reply, range);
    return true;
}

enum output_result outbox_send(int fd, struct outbox *outbox, uint64_t *sent)
{
    uint64_t before = *sent;
    enum output_result result = output_send(fd, &outbox->kept, &outbox->left, sent);
    outbox->unsent -= (size_t)(*sent - before);
    return result;
}

void outbox_destroy(struct outbox *outbox)
{
    if (outbox != NULL) {
        reply_release(&outbox->kept);
        mem_free(outbox);
    }
}

size_t outbox_memory(const struct outbox *outbox)
{
    if (outbox == NULL) {
        return 0;
    }
    const struct output_range *left = &outbox->left;
    return left->end - left->at + (left->part_end - left->part) * sizeof(struct reply_part);
}

size_t outbox_held(const struct outbox *outbox)
{
    if (outbox == NULL) {
        return 0;
    }
    size_t own = outbox->kept.out.cap + outbox->kept.part_room * sizeof(struct reply_part);
    return sizeof *outbox + (own > outbox->unsent ? own : outbox->unsent);
}

size_t outbox_left(const struct outbox *outbox)
{
    return outbox == NULL ? 0 : outbox->unsent;
}
