/* COMMAND DOCS' arguments and the arity that a row's syntax implies; see syntax.h. */
#include "exec/syntax.h"

#include "exec/syntax_parse.h"

static const char *const type_names[SYNTAX_TYPES] = {
    [SYNTAX_STRING] = "string",         [SYNTAX_INTEGER] = "integer",
    [SYNTAX_DOUBLE] = "double",         [SYNTAX_KEY] = "key",
    [SYNTAX_PATTERN] = "pattern",       [SYNTAX_UNIX_TIME] = "unix-time",
    [SYNTAX_PURE_TOKEN] = "pure-token", [SYNTAX_ONEOF] = "oneof",
    [SYNTAX_BLOCK] = "block",
};

static bool is_group(const struct syntax_node *node)
{
    return node->type == SYNTAX_ONEOF || node->type == SYNTAX_BLOCK;
}

static void append_lower(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        buf_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
}

/* That of a pure token may be empty: an argument that is the empty string. */
static bool has_token(const struct syntax_node *node)
{
    return node->token.len > 0 || node->type == SYNTAX_PURE_TOKEN;
}

/* Its own name, or its token's, or those of its parts. */
static void append_name(const struct syntax_tree *tree, const struct syntax_node *node,
                        struct buf *out)
{
    if (node->name.len > 0) {
        buf_append(out, node->name);
    } else if (node->token.len > 0) {
        append_lower(out, node->token);
    } else {
        for (uint16_t at = node->first; at != SYNTAX_NONE; at = tree->nodes[at].next) {
            append_name(tree, &tree->nodes[at], out);
            if (tree->nodes[at].next != SYNTAX_NONE) {
                buf_append_char(out, '-');
            }
        }
    }
}

static void reply_name(const struct syntax_tree *tree, const struct syntax_node *node,
                       struct reply *reply)
{
    struct buf name = { 0 };
    append_name(tree, node, &name);
    reply_bytes(reply, LIT("name"));
    reply_bytes(reply, buf_bytes(&name));
    buf_release(&name);
}

static void reply_flags(const struct syntax_node *node, struct reply *reply)
{
    reply_bytes(reply, LIT("flags"));
    reply_set(reply, (size_t)node->optional + node->multiple + node->multiple_token);
    if (node->optional) {
        reply_simple(reply, LIT("optional"));
    }
    if (node->multiple) {
        reply_simple(reply, LIT("multiple"));
    }
    if (node->multiple_token) {
        reply_simple(reply, LIT("multiple_token"));
    }
}

struct telling {
    const struct syntax_tree *tree;
    struct reply *reply;
    const struct key_spec *specs;
    uint32_t spec_count;
    uint32_t keys;    /* specifications that are done with */
    bool by_patterns; /* the one after these, which does not say where its keys begin */
};

static void reply_arguments(struct telling *telling, const struct syntax_node *parent);

/* The specification that an argument's keys go by.  The n-th key argument is the n-th's, the
 * last one's when it has several names; patterns (SORT's) share one of unknown keys. */
static bool find_spec(struct telling *telling, const struct syntax_node *node, uint32_t *spec)
{
    if (node->type == SYNTAX_PATTERN && telling->keys < telling->spec_count &&
        telling->specs[telling->keys].begin == KEYS_BEGIN_UNKNOWN) {
        telling->by_patterns = true;
        *spec = telling->keys;
        return true;
    }
    if (node->type != SYNTAX_KEY || telling->spec_count == 0) {
        return false;
    }
    telling->keys += telling->by_patterns;
    telling->by_patterns = false;
    *spec = telling->keys < telling->spec_count ? telling->keys : telling->spec_count - 1;
    telling->keys++;
    return true;
}

static void reply_argument(struct telling *telling, const struct syntax_node *node)
{
    struct reply *reply = telling->reply;
    uint32_t spec = 0;
    bool flagged = node->optional || node->multiple;
    bool key = find_spec(telling, node, &spec);
    size_t pairs =
        2 + (size_t)key + has_token(node) + (node->since.len > 0) + flagged + is_group(node);

    reply_map(reply, pairs);
    reply_name(telling->tree, node, reply);
    reply_bytes(reply, LIT("type"));
    reply_bytes(reply, bytes_of(type_names[node->type]));
    if (key) {
        reply_bytes(reply, LIT("key_spec_index"));
        reply_integer(reply, spec);
    }
    if (has_token(node)) {
        reply_bytes(reply, LIT("token"));
        reply_bytes(reply, node->token);
    }
    if (node->since.len > 0) {
        reply_bytes(reply, LIT("since"));
        reply_bytes(reply, node->since);
    }
    if (flagged) {
        reply_flags(node, reply);
    }
    if (is_group(node)) {
        reply_bytes(reply, LIT("arguments"));
        reply_arguments(telling, node);
    }
}

static void reply_arguments(struct telling *telling, const struct syntax_node *parent)
{
    reply_array(telling->reply, parent->children);
    for (uint16_t at = parent->first; at != SYNTAX_NONE; at = telling->tree->nodes[at].next) {
        reply_argument(telling, &telling->tree->nodes[at]);
    }
}

bool syntax_reply(const struct command *command, struct reply *reply)
{
    struct syntax_tree tree;
    if (!syntax_parse(&tree, command->syntax != NULL ? command->syntax : "")) {
        return false;
    }
    struct telling telling = { .tree = &tree, .reply = reply, .specs = command->keys };
    while (telling.spec_count < COMMAND_KEY_SPECS &&
           command->keys[telling.spec_count].begin != KEYS_NONE) {
        telling.spec_count++;
    }
    reply_arguments(&telling, &tree.nodes[0]);
    return true;
}

/* How many arguments something takes; max < 0: any number. */
struct extent {
    int min, max;
};

static struct extent measure(const struct syntax_tree *tree, const struct syntax_node *node);

static struct extent measure_block(const struct syntax_tree *tree, const struct syntax_node *node)
{
    struct extent sum = { 0, 0 };
    for (uint16_t at = node->first; at != SYNTAX_NONE; at = tree->nodes[at].next) {
        struct extent part = measure(tree, &tree->nodes[at]);
        sum.min += part.min;
        sum.max = sum.max < 0 || part.max < 0 ? -1 : sum.max + part.max;
    }
    return sum;
}

static struct extent measure_oneof(const struct syntax_tree *tree, const struct syntax_node *node)
{
    struct extent sum = measure(tree, &tree->nodes[node->first]);
    for (uint16_t at = node->first; at != SYNTAX_NONE; at = tree->nodes[at].next) {
        struct extent part = measure(tree, &tree->nodes[at]);
        sum.min = part.min < sum.min ? part.min : sum.min;
        sum.max = sum.max < 0 || part.max < 0 ? -1 : part.max > sum.max ? part.max : sum.max;
    }
    return sum;
}

static struct extent measure(const struct syntax_tree *tree, const struct syntax_node *node)
{
    struct extent sum = { 1, 1 };
    if (node->type == SYNTAX_BLOCK) {
        sum = measure_block(tree, node);
    } else if (node->type == SYNTAX_ONEOF) {
        sum = measure_oneof(tree, node);
    } else if (node->type == SYNTAX_PURE_TOKEN && node->token.len > 0) {
        sum = (struct extent){ 0, 0 }; /* The token below is all of it. */
    }
    if (node->token.len > 0) {
        sum.min++;
        sum.max += sum.max < 0 ? 0 : 1;
    }
    if (node->multiple) {
        sum.max = -1;
    }
    if (node->optional) {
        sum.min = 0;
    }
    return sum;
}

int syntax_arity(const struct command *command)
{
    struct syntax_tree tree;
    if (!syntax_parse(&tree, command->syntax != NULL ? command->syntax : "")) {
        return 0;
    }
    struct extent extent = measure(&tree, &tree.nodes[0]);
    int words = strchr(command->name, '|') != NULL ? 2 : 1;
    return extent.min == extent.max ? words + extent.min : -(words + extent.min);
}
