/* Reads the small language of a row's syntax; its grammar stands in syntax.h. */
#include "exec/syntax_parse.h"

struct parser {
    struct syntax_tree *tree;
    const char *at;
    unsigned depth;
};

enum { DEPTH_MAX = 16 };

/* How types are written, short and long. */
static const struct {
    const char *word;
    enum syntax_type type;
} type_words[] = {
    { "string", SYNTAX_STRING },
    { "integer", SYNTAX_INTEGER },
    { "int", SYNTAX_INTEGER },
    { "double", SYNTAX_DOUBLE },
    { "key", SYNTAX_KEY },
    { "pattern", SYNTAX_PATTERN },
    { "unix-time", SYNTAX_UNIX_TIME },
    { "time", SYNTAX_UNIX_TIME },
    { "pure-token", SYNTAX_PURE_TOKEN },
    { "token", SYNTAX_PURE_TOKEN },
};

static void skip_spaces(struct parser *parser)
{
    while (*parser->at == ' ') {
        parser->at++;
    }
}

static bool accept(struct parser *parser, const char *text)
{
    size_t len = strlen(text);
    skip_spaces(parser);
    if (strncmp(parser->at, text, len) != 0) {
        return false;
    }
    parser->at += len;
    return true;
}

static uint16_t add_node(struct parser *parser, enum syntax_type type)
{
    struct syntax_tree *tree = parser->tree;
    if (tree->count == SYNTAX_NODES) {
        return SYNTAX_NONE;
    }
    tree->nodes[tree->count] = (struct syntax_node){ .type = (uint8_t)type };
    return tree->count++;
}

static void add_child(struct syntax_tree *tree, uint16_t parent, uint16_t child)
{
    uint16_t *link = &tree->nodes[parent].first;
    while (*link != SYNTAX_NONE) {
        link = &tree->nodes[*link].next;
    }
    *link = child;
    tree->nodes[parent].children++;
}

/* A name with its type, a name or a token: everything up to a space or a sign of the
 * language; "=" alone is a token, too. */
static struct bytes read_word(struct parser *parser)
{
    skip_spaces(parser);
    size_t len = strcspn(parser->at, " =|<>()[]@");
    len = len == 0 && parser->at[0] == '=' && parser->at[1] == ' ' ? 1 : len;
    if (len > 3 && memcmp(parser->at + len - 3, "...", 3) == 0) {
        len -= 3;
    }
    struct bytes word = { parser->at, len };
    parser->at += len;
    return word;
}

static bool find_type(struct bytes word, enum syntax_type *type)
{
    for (size_t i = 0; i < sizeof type_words / sizeof type_words[0]; i++) {
        if (bytes_equal(bytes_of(type_words[i].word), word)) {
            *type = type_words[i].type;
            return true;
        }
    }
    return false;
}

/* Where the last colon is, or the length when there is none. */
static size_t last_colon(struct bytes word)
{
    for (size_t i = word.len; i-- > 0;) {
        if (word.at[i] == ':') {
            return i;
        }
    }
    return word.len;
}

/* "name:type"; the name may hold colons too. */
static uint16_t add_typed(struct parser *parser, struct bytes word, size_t colon)
{
    struct bytes type_word = { word.at + colon + 1, word.len - colon - 1 };
    enum syntax_type type;
    uint16_t node = find_type(type_word, &type) ? add_node(parser, type) : SYNTAX_NONE;
    if (node != SYNTAX_NONE) {
        parser->tree->nodes[node].name = (struct bytes){ word.at, colon };
    }
    return node;
}

static uint16_t read_item(struct parser *parser);

/* Items up to 'end'; with 'between' each but the last is followed by it.  No empty groups. */
static bool read_group(struct parser *parser, uint16_t parent, const char *between, const char *end)
{
    do {
        uint16_t child = read_item(parser);
        if (child == SYNTAX_NONE) {
            return false;
        }
        add_child(parser->tree, parent, child);
        if (accept(parser, end)) {
            return true;
        }
    } while (between == NULL || accept(parser, between));
    return false;
}

/* "<a | b>" or "(a b)"; SYNTAX_NONE when neither stands here. */
static uint16_t read_brackets(struct parser *parser)
{
    uint16_t node = SYNTAX_NONE;
    if (accept(parser, "<")) {
        node = add_node(parser, SYNTAX_ONEOF);
        return node != SYNTAX_NONE && read_group(parser, node, "|", ">") ? node : SYNTAX_NONE;
    }
    if (accept(parser, "(")) {
        node = add_node(parser, SYNTAX_BLOCK);
        return node != SYNTAX_NONE && read_group(parser, node, NULL, ")") ? node : SYNTAX_NONE;
    }
    return SYNTAX_NONE;
}

/* True when what follows belongs to the token before it: a name with a type, or a group. */
static bool value_follows(const struct parser *parser)
{
    const char *at = parser->at;
    if (*at != ' ') {
        return false;
    }
    at += strspn(at, " ");
    if (*at == '<' || *at == '(') {
        return true;
    }
    size_t len = strcspn(at, " :=|<>()[]");
    bool lower = len > 0 && at[0] >= 'a' && at[0] <= 'z';
    return lower && (at[len] == ':' || at[len] == '=');
}

/* What stands behind "name=": a group, or a token. */
static uint16_t read_named(struct parser *parser)
{
    if (*parser->at == '<' || *parser->at == '(') {
        return read_brackets(parser);
    }
    struct bytes word = read_word(parser);
    uint16_t node = word.len > 0 ? add_node(parser, SYNTAX_PURE_TOKEN) : SYNTAX_NONE;
    if (node != SYNTAX_NONE) {
        bool empty = bytes_equal(word, LIT("\"\""));
        parser->tree->nodes[node].token = empty ? (struct bytes){ 0 } : word;
    }
    return node;
}

/* An argument without the marks around it: [TOKEN] name:type, [TOKEN] [name=]group,
 * [name=]TOKEN. */
static uint16_t read_argument(struct parser *parser)
{
    uint16_t node = read_brackets(parser);
    if (node != SYNTAX_NONE || *parser->at == '\0') {
        return node;
    }
    struct bytes word = read_word(parser);
    size_t colon = last_colon(word);
    if (word.len == 0) {
        return SYNTAX_NONE;
    }
    if (colon < word.len) {
        return add_typed(parser, word, colon);
    }
    if (*parser->at == '=') {
        parser->at++;
        node = read_named(parser);
        if (node != SYNTAX_NONE) {
            parser->tree->nodes[node].name = word;
        }
        return node;
    }
    node = value_follows(parser) ? read_argument(parser) : add_node(parser, SYNTAX_PURE_TOKEN);
    if (node != SYNTAX_NONE) {
        parser->tree->nodes[node].token = word;
    }
    return node;
}

/* "@7.0.0", right behind an argument. */
static void read_since(struct parser *parser, uint16_t node)
{
    if (node != SYNTAX_NONE && *parser->at == '@') {
        parser->at++;
        size_t len = strspn(parser->at, "0123456789.");
        while (len > 0 && parser->at[len - 1] == '.') {
            len--; /* Of the "..." behind it. */
        }
        parser->tree->nodes[node].since = (struct bytes){ parser->at, len };
        parser->at += len;
    }
}

/* An argument with "[...]" around it and "..." after it. */
static uint16_t read_item(struct parser *parser)
{
    uint16_t node;
    if (++parser->depth > DEPTH_MAX) {
        return SYNTAX_NONE;
    }
    if (accept(parser, "[")) {
        node = read_item(parser);
        if (node == SYNTAX_NONE || !accept(parser, "]")) {
            return SYNTAX_NONE;
        }
        parser->tree->nodes[node].optional = true;
        if (accept(parser, "...")) {
            /* Its token, when it has one, is said each time. */
            parser->tree->nodes[node].multiple = true;
            parser->tree->nodes[node].multiple_token = parser->tree->nodes[node].token.len > 0;
        }
    } else {
        node = read_argument(parser);
        read_since(parser, node);
        if (node != SYNTAX_NONE && accept(parser, "...")) {
            parser->tree->nodes[node].multiple = true;
        }
    }
    parser->depth--;
    return node;
}

bool syntax_parse(struct syntax_tree *tree, const char *text)
{
    struct parser parser = { .tree = tree, .at = text };
    tree->count = 0;
    (void)add_node(&parser, SYNTAX_BLOCK);
    for (skip_spaces(&parser); *parser.at != '\0'; skip_spaces(&parser)) {
        uint16_t child = read_item(&parser);
        if (child == SYNTAX_NONE) {
            return false;
        }
        add_child(tree, 0, child);
    }
    return true;
}
