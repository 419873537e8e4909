/* CLUSTER and its relatives, on a server that is no node of a cluster: each is refused, as Redis
 * refuses it with cluster-enabled no. */
#include "commands/families.h"
#include "exec/call.h"

static enum err refuse(struct call *call)
{
    reply_error(call->reply, LIT("ERR This instance has cluster support disabled"));
    return ERR_REPLIED;
}

enum {
    ASKS = CMD_STALE,
    MANAGES = CMD_ADMIN | CMD_STALE | CMD_NO_ASYNC_LOADING,
    LOOKS = CMD_ADMIN | CMD_STALE,
};

static const char *const varying[] = { "nondeterministic_output", NULL };
static const char *const slot_stats_tips[] = { "nondeterministic_output",
                                               "request_policy:all_shards", NULL };
static const struct command_history meet_history[] = {
    { "4.0.0", "The port of the bus may be told." },
    { NULL, NULL },
};
static const struct command_history slots_history[] = {
    { "4.0.0", "The reply has the nodes' ids." },
    { "7.0.0", "The reply has further facts about the nodes' addresses." },
    { NULL, NULL },
};

#define ROW(subcommand, count, use)                                                                \
    .name = "cluster|" subcommand, .handler = refuse, .arity = (count), .group = GROUP_CLUSTER,    \
    .flags = (use)

/* Rows of one shape: what is told slots, ranges of slots, or a primary; and the commands that are
 * no subcommands. */
#define SLOTS_ROW(subcommand, text)                                                                \
    ROW(subcommand, -3, MANAGES), .since = "3.0.0",                                                \
        .complexity = "O(N) where N is the number of slots", .summary = (text),                    \
        .syntax = "slot:integer..."
#define RANGES_ROW(subcommand, text)                                                               \
    ROW(subcommand, -4, MANAGES), .since = "7.0.0",                                                \
        .complexity = "O(N) where N is the number of slots", .summary = (text),                    \
        .syntax = "start-slot_end-slot=(start-slot:integer end-slot:integer)..."
#define REPLICAS_ROW(subcommand)                                                                   \
    ROW(subcommand, 3, LOOKS), .complexity = "O(N) where N is the number of replicas",             \
        .summary = "Returns the replicas of a primary.", .syntax = "node-id:string",               \
        .tips = varying
#define CLIENT_ROW(command, use, text)                                                             \
    .name = (command), .handler = refuse, .arity = 1, .group = GROUP_CLUSTER, .flags = (use),      \
    .categories = CATEGORY_CONNECTION, .since = "3.0.0", .complexity = "O(1)", .summary = (text)

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "cluster", .arity = -2, .group = GROUP_CLUSTER,
        .since = "3.0.0", .complexity = "Depends on subcommand.",
        .summary = "A container of commands for nodes of a cluster.",
    },
    {
        SLOTS_ROW("addslots", "Gives hash slots to this node."),
    },
    {
        RANGES_ROW("addslotsrange", "Gives ranges of hash slots to this node."),
    },
    {
        ROW("bumpepoch", 2, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Moves the configuration's epoch on.", .tips = varying,
    },
    {
        ROW("count-failure-reports", 3, LOOKS), .since = "3.0.0",
        .complexity = "O(N) where N is the number of reports",
        .summary = "Returns how many nodes have reported a node as failing.",
        .syntax = "node-id:string", .tips = varying,
    },
    {
        ROW("countkeysinslot", 3, ASKS), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Returns how many keys a hash slot has on this node.",
        .syntax = "slot:integer",
    },
    {
        SLOTS_ROW("delslots", "Takes hash slots from this node."),
    },
    {
        RANGES_ROW("delslotsrange", "Takes ranges of hash slots from this node."),
    },
    {
        ROW("failover", -2, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Makes a replica take the place of its primary.",
        .syntax = "[options=<FORCE | TAKEOVER>]",
    },
    {
        ROW("flushslots", 2, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Takes all hash slots from this node.",
    },
    {
        ROW("forget", 3, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Removes a node from those that this one knows.",
        .syntax = "node-id:string",
    },
    {
        ROW("getkeysinslot", 4, ASKS), .since = "3.0.0",
        .complexity = "O(N) where N is the number of keys asked for",
        .summary = "Returns names of keys of a hash slot on this node.",
        .syntax = "slot:integer count:integer", .tips = varying,
    },
    {
        ROW("help", 2, CMD_LOADING | CMD_STALE), .since = "5.0.0", .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        ROW("info", 2, ASKS), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Returns facts about the state of the node.", .tips = varying,
    },
    {
        ROW("keyslot", 3, ASKS), .since = "3.0.0",
        .complexity = "O(N) where N is the length of the key",
        .summary = "Returns the hash slot of a key.",
        .syntax = "key:string",
    },
    {
        ROW("links", 2, ASKS), .since = "7.0.0",
        .complexity = "O(N) where N is the number of nodes",
        .summary = "Returns the connections of this node to others.", .tips = varying,
    },
    {
        ROW("meet", -4, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Makes this node know another one.",
        .syntax = "ip:string port:integer [cluster_bus_port:integer@4.0.0]", .history = meet_history,
    },
    {
        ROW("myid", 2, ASKS), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Returns the id of this node.",
    },
    {
        ROW("myshardid", 2, ASKS), .since = "7.2.0", .complexity = "O(1)",
        .summary = "Returns the id of this node's shard.", .tips = varying,
    },
    {
        ROW("nodes", 2, ASKS), .since = "3.0.0",
        .complexity = "O(N) where N is the number of nodes",
        .summary = "Returns the nodes that this one knows, a line each.", .tips = varying,
    },
    {
        REPLICAS_ROW("replicas"), .since = "5.0.0",
    },
    {
        ROW("replicate", 3, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Makes this node a replica of another one.",
        .syntax = "node-id:string",
    },
    {
        ROW("reset", -2, CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE), .since = "3.0.0",
        .complexity = "O(N) where N is the number of known nodes",
        .summary = "Makes this node one that knows no other.",
        .syntax = "[hard_soft=<HARD | SOFT>]",
    },
    {
        ROW("saveconfig", 2, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Writes the node's configuration to its file.",
    },
    {
        ROW("set-config-epoch", 3, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Sets the configuration's epoch of a new node.",
        .syntax = "config-epoch:integer",
    },
    {
        ROW("setslot", -4, MANAGES), .since = "3.0.0", .complexity = "O(1)",
        .summary = "Says which node a hash slot belongs to, or moves to.",
        .syntax = "slot:integer subcommand=<IMPORTING node-id:string | MIGRATING node-id:string | "
                  "NODE node-id:string | STABLE>",
    },
    {
        ROW("shards", 2, ASKS), .since = "7.0.0",
        .complexity = "O(N) where N is the number of nodes",
        .summary = "Returns which nodes and hash slots belong together.", .tips = varying,
    },
    {
        REPLICAS_ROW("slaves"), .since = "3.0.0",
        .deprecated_since = "5.0.0", .replaced_by = "`CLUSTER REPLICAS`",
    },
    {
        ROW("slot-stats", -4, CMD_STALE | CMD_LOADING), .since = "8.0.0",
        .complexity = "O(N) where N is the number of hash slots",
        .summary = "Returns how much hash slots of this node are used.",
        .syntax = "filter=<SLOTSRANGE slotsrange=(start-slot:integer end-slot:integer) | "
                  "ORDERBY orderby=(metric:string [LIMIT limit:integer] [order=<ASC | DESC>])>",
        .tips = slot_stats_tips,
    },
    {
        ROW("slots", 2, ASKS), .since = "3.0.0",
        .complexity = "O(N) where N is the number of nodes",
        .summary = "Returns which nodes serve which hash slots.",
        .history = slots_history, .tips = varying,
        .deprecated_since = "7.0.0", .replaced_by = "`CLUSTER SHARDS`",
    },
    {
        CLIENT_ROW("asking", CMD_FAST,
                   "Says that a client has been sent here by a redirection."),
    },
    {
        CLIENT_ROW("readonly", CMD_LOADING | CMD_STALE | CMD_FAST,
                   "Lets a client read from a replica of a cluster."),
    },
    {
        CLIENT_ROW("readwrite", CMD_LOADING | CMD_STALE | CMD_FAST,
                   "Ends what READONLY began."),
    },
};
/* clang-format on */

const struct command_family cmd_cluster_family = { rows, sizeof rows / sizeof rows[0] };
