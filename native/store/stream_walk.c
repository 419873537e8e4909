/* Streams: walking the entries of a range, and what can be told of the blocks; see stream.h. */
#include "store/stream.h"

/* The ids of blocks as keys of 16 bytes, of which Redis keeps a radix tree. */
enum { TREE_KEY = 16 };

static void enter_block(struct stream_walk *walk)
{
    const struct stream_map *blocks = &walk->stream->blocks;
    stream_block_master(stream_map_value(blocks, walk->place), stream_map_id(blocks, walk->place),
                        &walk->master);
    walk->at = walk->backwards ? stream_block_end(&walk->master) : walk->master.entries_at;
}

void stream_walk_begin(struct stream_walk *walk, const struct stream *stream, struct stream_id from,
                       struct stream_id to, bool backwards)
{
    walk->stream = stream;
    walk->from = from;
    walk->to = to;
    walk->backwards = backwards;
    const struct stream_map *blocks = &stream->blocks;
    walk->done = stream_id_compare(from, to) > 0 ||
                 (!stream_map_seek_back(blocks, backwards ? to : from, &walk->place) &&
                  (backwards || !stream_map_first(blocks, &walk->place)));
    if (!walk->done) {
        enter_block(walk);
    }
}

static bool next_block(struct stream_walk *walk)
{
    const struct stream_map *blocks = &walk->stream->blocks;
    if (!(walk->backwards ? stream_map_previous(blocks, &walk->place)
                          : stream_map_next(blocks, &walk->place))) {
        return false;
    }
    enter_block(walk);
    return true;
}

bool stream_walk_next(struct stream_walk *walk, struct stream_entry *entry)
{
    while (!walk->done) {
        if (!(walk->backwards ? stream_block_previous(&walk->master, &walk->at, entry)
                              : stream_block_next(&walk->master, &walk->at, entry))) {
            walk->done = !next_block(walk);
            continue;
        }
        bool above = stream_id_compare(entry->id, walk->to) > 0;
        bool below = stream_id_compare(entry->id, walk->from) < 0;
        if (walk->backwards ? below : above) {
            walk->done = true;
        } else if (!above && !below && (entry->flags & STREAM_ENTRY_DELETED) == 0) {
            return true;
        }
    }
    return false;
}

struct stream_block *stream_walk_block(const struct stream_walk *walk)
{
    return stream_map_value(&walk->stream->blocks, walk->place);
}

bool stream_find(const struct stream *stream, struct stream_id id, struct stream_entry *entry)
{
    struct stream_walk walk;
    stream_walk_begin(&walk, stream, id, id, false);
    return stream_walk_next(&walk, entry);
}

bool stream_last_entry_id(const struct stream *stream, struct stream_id *id)
{
    struct stream_walk walk;
    struct stream_entry entry;
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, true);
    if (!stream_walk_next(&walk, &entry)) {
        return false;
    }
    *id = entry.id;
    return true;
}

struct stream_id stream_first_block_id(const struct stream *stream)
{
    struct stream_place place;
    return stream_map_first(&stream->blocks, &place) ? stream_map_id(&stream->blocks, place)
                                                     : STREAM_ID_MAX;
}

/* ---- The tree that Redis would have ---------------------------------------------------------- */

/* Bytes that two ids have in common from their beginning, most significant first. */
static unsigned common_bytes(struct stream_id a, struct stream_id b)
{
    uint64_t ms = a.ms ^ b.ms, seq = a.seq ^ b.seq;
    if (ms != 0) {
        return (unsigned)__builtin_clzll(ms) / 8;
    }
    return seq != 0 ? 8 + (unsigned)__builtin_clzll(seq) / 8 : TREE_KEY;
}

/* The forks on the way to the newest key, by the depth at which they stand. */
struct forks {
    unsigned depth[TREE_KEY];
    unsigned count;
};

/* Closes the forks below the depth at which the next key leaves the way, and notes that one.
 * A fork is a node, and has one more above it when it does not stand right below another. */
static uint64_t turn(struct forks *forks, unsigned depth)
{
    uint64_t nodes = 0;
    while (forks->count > 0 && forks->depth[forks->count - 1] > depth) {
        unsigned fork = forks->depth[--forks->count], above = depth;
        if (forks->count > 0 && forks->depth[forks->count - 1] > depth) {
            above = forks->depth[forks->count - 1];
        }
        nodes += 1 + (fork > above + 1 ? 1u : 0);
    }
    if (forks->count == 0 || forks->depth[forks->count - 1] < depth) {
        forks->depth[forks->count++] = depth;
    }
    return nodes;
}

/* Those that are still open at the end. */
static uint64_t close_forks(struct forks *forks)
{
    uint64_t nodes = 0;
    while (forks->count > 0) {
        unsigned fork = forks->depth[--forks->count];
        unsigned begin = forks->count > 0 ? forks->depth[forks->count - 1] + 1 : 0;
        nodes += 1 + (fork > begin ? 1u : 0);
    }
    return nodes;
}

/* A leaf, and the node above it where there are bytes between it and its fork. */
static uint64_t leaf_nodes(unsigned fork)
{
    return 1 + (fork + 1 < TREE_KEY ? 1u : 0);
}

uint64_t stream_tree_nodes(const struct stream *stream)
{
    struct forks forks = { .count = 0 };
    struct stream_place place;
    uint64_t nodes = 0;
    if (!stream_map_first(&stream->blocks, &place)) {
        return 1;
    }
    struct stream_id id = stream_map_id(&stream->blocks, place);
    unsigned former = 0;
    while (stream_map_next(&stream->blocks, &place)) {
        struct stream_id next = stream_map_id(&stream->blocks, place);
        unsigned common = common_bytes(id, next);
        nodes += leaf_nodes(common > former ? common : former) + turn(&forks, common);
        former = common;
        id = next;
    }
    return nodes + leaf_nodes(former) + close_forks(&forks);
}
