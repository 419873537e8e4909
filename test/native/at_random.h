/* Commands at random, made from the rows' own syntax, so that a new command is among them as
 * soon as it has a row: most of them valid, some nearly so, over few keys so that they meet.
 *
 *     struct at_random dice;
 *     at_random_init(&dice, &server.engine, check_random(&seed));
 *     struct at_random_command *command = at_random_next(&dice, now_ms);
 *     ... run dice.argv, dice.argc ...
 *     at_random_learn(&dice, reply);
 *     at_random_release(&dice);
 */
#ifndef TEST_AT_RANDOM_H
#define TEST_AT_RANDOM_H

#include "at_random_words.h"
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/syntax_parse.h"

enum { AT_RANDOM_ARGUMENTS = 64 };

/* One of the commands that are drawn, and how it went. */
struct at_random_command {
    const struct command *row;
    struct syntax_tree tree;
    uint32_t weight;
    uint64_t ran, succeeded, effects;
};

struct at_random {
    const struct registry *registry;
    struct at_random_words words;
    struct at_random_command *commands;
    uint32_t count, weights;
    struct bytes argv[AT_RANDOM_ARGUMENTS];
    uint32_t argc;
    uint32_t counted_at; /* the argument that counts what follows it; 0: none */
    uint32_t repeats;    /* of the newest list, for the one that must be as long */
    bool exact_ids;      /* the next list has as many as that */
};

/* Commands that a test of data has no use for: they act on the process or on other clients,
 * or change the protocol; every other row is drawn. */
static inline bool at_random_skips(const struct command *row)
{
    static const char
        *const skipped[] = {
            "auth",
            "debug",
            "hello",
            "monitor",
            "quit",
            "reset",
            "select",
            "shutdown",
            "wait",
            "waitaof",
            "client|kill",
            "client|pause",
            "client|reply",
            "client|unblock",
            "client|unpause",
            "config|set",
            "config|rewrite",
            "multi",
            "exec",
            "discard",
            "watch",
            "unwatch",
            "client|no-evict",
            "restore", /* what no dice throw: its payloads, and below libraries of functions */
            "restore-asking",
            "migrate", /* there is no other server */
        };
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
        if (strcmp(row->name, skipped[i]) == 0) {
            return true;
        }
    }
    return row->handler == NULL || row->group == GROUP_PUBSUB || row->group == GROUP_CONNECTION ||
           (row->group == GROUP_SERVER && (row->flags & CMD_WRITE) == 0) ||
           (row->group == GROUP_SCRIPTING && (row->flags & CMD_WRITE) != 0);
}

/* Whole databases go, or are exchanged, only now and then. */
static inline uint32_t at_random_weight(const struct command *row)
{
    static const struct {
        const char *name;
        uint32_t weight;
    } special[] = {
        { "xadd", 160 },
        { "xreadgroup", 160 },
        { "xgroup|create", 80 },
        { "xgroup|destroy", 4 },
        { "xgroup|delconsumer", 10 },
        { "xsetid", 10 },
        { "xack", 60 },
        { "xackdel", 60 },
        { "pfdebug", 8 },
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (strcmp(row->name, special[i].name) == 0) {
            return special[i].weight;
        }
    }
    if ((row->flags & CMD_KEYS_ALL) != 0) {
        return 1;
    }
    if ((row->flags & CMD_WRITE) == 0) {
        return row->group == GROUP_SERVER || row->group == GROUP_CONNECTION ? 1 : 8;
    }
    return row->group == GROUP_GENERIC ? 12 : 40;
}

static inline void at_random_init(struct at_random *dice, const struct engine *engine,
                                  uint64_t seed)
{
    memset(dice, 0, sizeof *dice);
    dice->registry = engine->registry;
    dice->words.dice = seed;
    dice->commands = mem_zalloc(registry_count(engine->registry) * sizeof *dice->commands);
    for (uint32_t i = 0; i < registry_count(engine->registry); i++) {
        struct at_random_command *command = &dice->commands[dice->count];
        const struct command *row = registry_at(engine->registry, i);
        if (at_random_skips(row)) {
            continue;
        }
        CHECK(syntax_parse(&command->tree, row->syntax != NULL ? row->syntax : ""));
        command->row = row;
        command->weight = at_random_weight(row);
        dice->weights += command->weight;
        dice->count++;
    }
}

/* A command that is not to be drawn. */
static inline void at_random_leave_out(struct at_random *dice, const char *name)
{
    for (uint32_t i = 0; i < dice->count; i++) {
        if (strcmp(dice->commands[i].row->name, name) == 0) {
            dice->weights -= dice->commands[i].weight;
            dice->commands[i].weight = 0;
        }
    }
}

static inline void at_random_release(struct at_random *dice)
{
    mem_free(dice->commands);
}

static inline void at_random_add(struct at_random *dice, struct bytes word)
{
    if (dice->argc < AT_RANDOM_ARGUMENTS) {
        dice->argv[dice->argc++] = word;
    }
}

static inline void at_random_children(struct at_random *dice, const struct at_random_command *of,
                                      const struct syntax_node *node);

/* One argument, or one of a choice, or a block. */
static inline void at_random_once(struct at_random *dice, const struct at_random_command *of,
                                  const struct syntax_node *node)
{
    struct at_random_words *words = &dice->words;
    switch (node->type) {
    case SYNTAX_PURE_TOKEN:
        break;
    case SYNTAX_ONEOF: {
        const struct syntax_node *choice = &of->tree.nodes[node->first];
        for (uint64_t at = at_random_below(words, node->children); at > 0; at--) {
            choice = &of->tree.nodes[choice->next];
        }
        if (choice->token.len > 0) {
            at_random_add(dice, choice->token);
        }
        at_random_once(dice, of, choice);
        break;
    }
    case SYNTAX_BLOCK:
        at_random_children(dice, of, node);
        break;
    default:
        if (at_random_begins(node->name, LIT("num")) && node->type == SYNTAX_INTEGER) {
            dice->counted_at = dice->argc;
        }
        at_random_add(dice, at_random_word(words, of->row, node));
        break;
    }
}

/* A list: most are short. */
static inline void at_random_many(struct at_random *dice, const struct at_random_command *of,
                                  const struct syntax_node *node)
{
    uint32_t times = 1;
    while (times < 6 && at_random_below(&dice->words, 2) == 0) {
        times++;
    }
    bool ids = bytes_equal(node->name, LIT("id")) && dice->exact_ids;
    if (ids && at_random_below(&dice->words, 30) != 0) {
        times = dice->repeats;
    }
    dice->exact_ids = node->type == SYNTAX_KEY;
    dice->repeats = times;
    if (dice->counted_at != 0) {
        if (at_random_below(&dice->words, 30) != 0) {
            dice->argv[dice->counted_at] = at_random_number(&dice->words, times);
        }
        dice->counted_at = 0;
    }
    for (uint32_t i = 0; i < times; i++) {
        if (i > 0 && node->multiple_token) {
            at_random_add(dice, node->token);
        }
        at_random_once(dice, of, node);
    }
}

static inline void at_random_children(struct at_random *dice, const struct at_random_command *of,
                                      const struct syntax_node *node)
{
    for (uint16_t at = node->first; at != SYNTAX_NONE; at = of->tree.nodes[at].next) {
        const struct syntax_node *child = &of->tree.nodes[at];
        if (child->optional && at_random_below(&dice->words, 3) != 0) {
            continue;
        }
        if (child->token.len > 0) {
            at_random_add(dice, child->token);
        }
        if (child->multiple) {
            at_random_many(dice, of, child);
        } else {
            at_random_once(dice, of, child);
        }
    }
}

/* An argument less, one more, another one. */
static inline void at_random_spoil(struct at_random *dice)
{
    uint32_t at = (uint32_t)at_random_below(&dice->words, dice->argc);
    switch (at_random_below(&dice->words, 3)) {
    case 0:
        dice->argc -= dice->argc > 1;
        break;
    case 1:
        at_random_add(dice, at_random_junk(&dice->words));
        break;
    default:
        dice->argv[at > 0 ? at : dice->argc - 1] = at_random_junk(&dice->words);
        break;
    }
}

/* The name of a command, which for a subcommand is two words. */
static inline void at_random_name(struct at_random *dice, const struct command *row)
{
    const char *bar = strchr(row->name, '|');
    if (bar != NULL) {
        at_random_add(dice, (struct bytes){ row->name, (size_t)(bar - row->name) });
        at_random_add(dice, bytes_of(bar + 1));
    } else {
        at_random_add(dice, bytes_of(row->name));
    }
}

/* Makes the next command in 'argv', good until the one after it. */
static inline struct at_random_command *at_random_next(struct at_random *dice, int64_t now_ms)
{
    struct at_random_command *command = dice->commands;
    uint64_t at = at_random_below(&dice->words, dice->weights);
    while (at >= command->weight) {
        at -= command->weight;
        command++;
    }
    at_random_words_begin(&dice->words, now_ms);
    dice->argc = dice->counted_at = dice->repeats = 0;
    dice->exact_ids = false;
    at_random_name(dice, command->row);
    at_random_children(dice, command, &command->tree.nodes[0]);
    if (at_random_below(&dice->words, 25) == 0) {
        at_random_spoil(dice);
    }
    return command;
}

/* Takes what looks like a stream's id from a reply, to be named in later commands. */
static inline void at_random_learn(struct at_random *dice, struct bytes reply)
{
    struct at_random_words *words = &dice->words;
    for (size_t at = 0; at < reply.len && at < 500; at++) {
        size_t digits = 0, more = 0;
        while (at + digits < reply.len && (unsigned)(reply.at[at + digits] - '0') < 10) {
            digits++;
        }
        if (digits > 0 && at + digits < reply.len && reply.at[at + digits] == '-') {
            while (at + digits + 1 + more < reply.len &&
                   (unsigned)(reply.at[at + digits + 1 + more] - '0') < 10) {
                more++;
            }
        }
        size_t len = digits + 1 + more;
        if (more > 0 && len < AT_RANDOM_ID_LEN) {
            struct at_random_id *id = &words->ids[words->learnt++ % AT_RANDOM_IDS];
            memcpy(id->at, reply.at + at, len);
            id->len = (uint8_t)len;
        }
        at += digits + more;
    }
}

#endif
