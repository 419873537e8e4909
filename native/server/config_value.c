/* Reads, checks and writes the values of directives, kind by kind, with Redis's reasons for
 * what it refuses.  See config_value.h. */
#include "server/config_value.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "exec/notify.h"

static const char *const output_names[OUTPUT_CLASSES] = { "normal", "slave", "pubsub" };

int config_row(struct bytes name)
{
    size_t count;
    const struct rln_directive *rows = rln_directives(&count);
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_nocase(name, bytes_of(rows[i].name)) ||
            (rows[i].alias != NULL && bytes_equal_nocase(name, bytes_of(rows[i].alias)))) {
            return (int)i;
        }
    }
    return -1;
}

bool config_is_users(const struct rln_directive *row)
{
    return strcmp(row->name, "user") == 0;
}

const char *config_row_name(const struct rln_directive *row, struct bytes name)
{
    return row->alias != NULL && bytes_equal_nocase(name, bytes_of(row->alias)) ? row->alias
                                                                                : row->name;
}

void config_value_release(struct config_value *value)
{
    mem_free(value->text);
    *value = (struct config_value){ 0 };
}

bool config_next_word(struct bytes *text, struct bytes *word)
{
    while (text->len > 0 && text->at[0] == ' ') {
        text->at++;
        text->len--;
    }
    size_t len = 0;
    while (len < text->len && text->at[len] != ' ') {
        len++;
    }
    *word = (struct bytes){ text->at, len };
    text->at += len;
    text->len -= len;
    return len > 0;
}

static void set_text(struct config_value *value, struct bytes text)
{
    value->text = mem_strndup(text.at, text.len);
    value->len = text.len;
}

static void set_number(struct config_value *value, int64_t number)
{
    char digits[NUM_INT_ROOM];
    size_t len = num_format_i64(digits, number);
    value->number = number;
    set_text(value, (struct bytes){ digits, len });
}

static bool refuse(char *error, const char *reason)
{
    snprintf(error, CONFIG_ERROR_ROOM, "%s", reason);
    return false;
}

static bool check_range(const struct rln_directive *row, int64_t number, char *error)
{
    if (number >= row->min && number <= row->max) {
        return true;
    }
    snprintf(error, CONFIG_ERROR_ROOM,
             "argument must be between %" PRId64 " and %" PRId64 " inclusive", row->min, row->max);
    return false;
}

static bool parse_integer(const struct rln_directive *row, struct bytes raw,
                          struct config_value *value, char *error)
{
    int64_t number;
    if (!num_parse_i64(raw, &number)) {
        return refuse(error, "argument couldn't be parsed into an integer");
    }
    if (!check_range(row, number, error)) {
        return false;
    }
    if (strcmp(row->name, "hz") == 0 && number > 500) {
        number = 500; /* Redis takes more, too, and uses this much. */
    }
    set_number(value, number);
    return true;
}

/* "N%": kept as a negative number. */
static bool parse_percent(const struct rln_directive *row, struct bytes raw,
                          struct config_value *value, char *error)
{
    int64_t percent;
    if (raw.len < 2 || raw.at[raw.len - 1] != '%' ||
        !num_parse_i64((struct bytes){ raw.at, raw.len - 1 }, &percent) || percent < 0) {
        return refuse(error, "argument must be a memory or percent value");
    }
    if (percent > -row->min) {
        snprintf(error, CONFIG_ERROR_ROOM, "percentage argument must be less or equal to %" PRId64,
                 -row->min);
        return false;
    }
    set_number(value, -percent);
    if (percent > 0) {
        mem_free(value->text);
        set_text(value, raw);
    }
    return true;
}

static bool parse_memory(const struct rln_directive *row, struct bytes raw,
                         struct config_value *value, char *error)
{
    uint64_t number;
    if (!num_parse_memory(raw, &number)) {
        if (row->min < 0) {
            return parse_percent(row, raw, value, error);
        }
        return refuse(error, "argument must be a memory value");
    }
    if (number > INT64_MAX) {
        number = INT64_MAX;
    }
    if (!check_range(row, (int64_t)number, error)) {
        return false;
    }
    set_number(value, (int64_t)number);
    return true;
}

static bool parse_bool(struct bytes raw, struct config_value *value, char *error)
{
    bool yes = bytes_equal_nocase(raw, LIT("yes"));
    if (!yes && !bytes_equal_nocase(raw, LIT("no"))) {
        return refuse(error, "argument must be 'yes' or 'no'");
    }
    value->number = yes;
    set_text(value, yes ? LIT("yes") : LIT("no"));
    return true;
}

static bool parse_enum(const struct rln_directive *row, struct bytes raw,
                       struct config_value *value, char *error)
{
    for (int i = 0; row->choices[i] != NULL; i++) {
        if (bytes_equal_nocase(raw, bytes_of(row->choices[i]))) {
            value->number = i;
            set_text(value, bytes_of(row->choices[i]));
            return true;
        }
    }
    size_t len =
        (size_t)snprintf(error, CONFIG_ERROR_ROOM, "argument(s) must be one of the following: ");
    for (int i = 0; row->choices[i] != NULL && len < CONFIG_ERROR_ROOM; i++) {
        len += (size_t)snprintf(error + len, CONFIG_ERROR_ROOM - len, "%s%s", i > 0 ? ", " : "",
                                row->choices[i]);
    }
    return false;
}

static bool parse_octal(const struct rln_directive *row, struct bytes raw,
                        struct config_value *value, char *error)
{
    int64_t number = 0;
    if (raw.len == 0 || raw.len > 8) {
        return refuse(error, "argument couldn't be parsed as an octal number");
    }
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.at[i] < '0' || raw.at[i] > '7') {
            return refuse(error, "argument couldn't be parsed as an octal number");
        }
        number = number * 8 + (raw.at[i] - '0');
    }
    if (number > row->max) {
        snprintf(error, CONFIG_ERROR_ROOM, "argument must be between 0 and %o inclusive",
                 (unsigned)row->max);
        return false;
    }
    char digits[16];
    int len = snprintf(digits, sizeof digits, "%o", (unsigned)number);
    value->number = number;
    set_text(value, (struct bytes){ digits, (size_t)len });
    return true;
}

static bool parse_list(struct bytes raw, struct config_value *value)
{
    struct buf joined = { 0 };
    struct bytes word;
    while (config_next_word(&raw, &word)) {
        if (joined.len > 0) {
            buf_append_char(&joined, ' ');
        }
        buf_append(&joined, word);
    }
    set_text(value, buf_bytes(&joined));
    buf_release(&joined);
    return true;
}

static int find_output_class(struct bytes name)
{
    if (bytes_equal_nocase(name, LIT("replica"))) {
        return OUTPUT_REPLICA;
    }
    for (int i = 0; i < OUTPUT_CLASSES; i++) {
        if (bytes_equal_nocase(name, bytes_of(output_names[i]))) {
            return i;
        }
    }
    return -1;
}

/* Reads groups of four words over what 'limits' holds already. */
static const char *read_output_limits(struct bytes raw, struct output_limit *limits)
{
    struct bytes words[4];
    unsigned count = 0;
    for (struct bytes rest = raw, word; config_next_word(&rest, &word);) {
        count++;
    }
    if (count % 4 != 0) {
        return "Wrong number of arguments in buffer limit configuration.";
    }
    for (; count > 0; count -= 4) {
        for (int i = 0; i < 4; i++) {
            (void)config_next_word(&raw, &words[i]);
        }
        int class = find_output_class(words[0]);
        if (class < 0) {
            return "Invalid client class specified in buffer limit configuration.";
        }
        struct output_limit limit;
        if (!num_parse_memory(words[1], &limit.hard) || !num_parse_memory(words[2], &limit.soft) ||
            !num_parse_i64(words[3], &limit.soft_seconds) || limit.soft_seconds < 0) {
            return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        }
        limits[class] = limit;
    }
    return NULL;
}

void config_output_limits(const struct config_value *value, struct output_limit *limits)
{
    memset(limits, 0, OUTPUT_CLASSES * sizeof limits[0]);
    (void)read_output_limits(config_value_bytes(value), limits); /* Checked when it was set. */
}

static bool parse_output_limits(const struct config_value *old, struct bytes raw,
                                struct config_value *value, char *error)
{
    struct output_limit limits[OUTPUT_CLASSES] = { { 0, 0, 0 } };
    if (old != NULL) {
        config_output_limits(old, limits);
    }
    const char *reason = read_output_limits(raw, limits);
    if (reason != NULL) {
        return refuse(error, reason);
    }
    struct buf text = { 0 };
    for (int i = 0; i < OUTPUT_CLASSES; i++) {
        buf_printf(&text, "%s%s %" PRIu64 " %" PRIu64 " %" PRId64, i > 0 ? " " : "",
                   output_names[i], limits[i].hard, limits[i].soft, limits[i].soft_seconds);
    }
    set_text(value, buf_bytes(&text));
    buf_release(&text);
    return true;
}

static bool parse_events(struct bytes raw, struct config_value *value, char *error)
{
    uint32_t classes;
    struct buf text = { 0 };
    if (!notify_parse(raw, &classes)) {
        return refuse(error, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
    notify_format(classes, &text);
    set_text(value, buf_bytes(&text));
    buf_release(&text);
    return true;
}

/* Percentages, each in its shortest form. */
static bool parse_percentiles(struct bytes raw, struct config_value *value, char *error)
{
    struct buf text = { 0 };
    struct bytes word;
    bool fine = true;
    while (fine && config_next_word(&raw, &word)) {
        long double percent;
        char digits[NUM_FLOAT_ROOM];
        if (!num_parse_long_double(word, &percent)) {
            fine = refuse(error, "Invalid latency-tracking-info-percentiles parameters");
        } else if (percent < 0 || percent > 100) {
            fine = refuse(error, "latency-tracking-info-percentiles parameters should sit between "
                                 "[0.0,100.0]");
        } else {
            if (text.len > 0) {
                buf_append_char(&text, ' ');
            }
            size_t len = num_format_long_double(digits, sizeof digits, percent);
            buf_append(&text, (struct bytes){ digits, len });
        }
    }
    if (fine) {
        set_text(value, buf_bytes(&text));
    }
    buf_release(&text);
    return fine;
}

bool config_value_parse(const struct rln_directive *row, const struct config_value *old,
                        struct bytes raw, struct config_value *value, char *error)
{
    *value = (struct config_value){ 0 };
    switch (row->kind) {
    case RLN_DIRECTIVE_BOOL:
        return parse_bool(raw, value, error);
    case RLN_DIRECTIVE_INTEGER:
        return parse_integer(row, raw, value, error);
    case RLN_DIRECTIVE_MEMORY:
        return parse_memory(row, raw, value, error);
    case RLN_DIRECTIVE_ENUM:
        return parse_enum(row, raw, value, error);
    case RLN_DIRECTIVE_LIST:
        if (strcmp(row->name, "client-output-buffer-limit") == 0) {
            return parse_output_limits(old, raw, value, error);
        }
        return strcmp(row->name, "latency-tracking-info-percentiles") == 0
                   ? parse_percentiles(raw, value, error)
                   : parse_list(raw, value);
    case RLN_DIRECTIVE_STRING:
        break;
    }
    if (strcmp(row->name, "notify-keyspace-events") == 0) {
        return parse_events(raw, value, error);
    }
    if (strcmp(row->name, "unixsocketperm") == 0) {
        return parse_octal(row, raw, value, error);
    }
    if (raw.len > 0 && memchr(raw.at, '\0', raw.len) != NULL &&
        strcmp(row->name, "requirepass") != 0) {
        return refuse(error, "argument must not contain a NUL");
    }
    set_text(value, raw);
    return true;
}

/* "512mb" for a multiple of a megabyte, and so on. */
static void append_memory(uint64_t bytes, struct buf *out)
{
    static const struct {
        uint64_t size;
        const char *unit;
    } units[] = { { 1u << 30, "gb" }, { 1u << 20, "mb" }, { 1u << 10, "kb" } };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (bytes > 0 && bytes % units[i].size == 0) {
            buf_printf(out, "%" PRIu64 "%s", bytes / units[i].size, units[i].unit);
            return;
        }
    }
    buf_printf(out, "%" PRIu64, bytes);
}

void config_append_output_limit(enum output_class class, const struct output_limit *limit,
                                struct buf *out)
{
    buf_append(out, class == OUTPUT_REPLICA ? LIT("replica") : bytes_of(output_names[class]));
    buf_append_char(out, ' ');
    append_memory(limit->hard, out);
    buf_append_char(out, ' ');
    append_memory(limit->soft, out);
    buf_printf(out, " %" PRId64, limit->soft_seconds);
}

static bool is_plain_word(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' || c == '#') {
            return false;
        }
    }
    return text.len > 0;
}

static void append_quoted(struct bytes text, struct buf *out)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            buf_append_char(out, '\\');
            buf_append_char(out, (char)c);
        } else if (c < ' ' || c > '~') {
            buf_printf(out, "\\x%02x", c);
        } else {
            buf_append_char(out, (char)c);
        }
    }
    buf_append_char(out, '"');
}

void config_value_append(const struct rln_directive *row, const struct config_value *value,
                         struct buf *out)
{
    struct bytes text = config_value_bytes(value);
    if (row->kind == RLN_DIRECTIVE_MEMORY && value->number >= 0) {
        append_memory((uint64_t)value->number, out);
    } else if (strcmp(row->name, "client-output-buffer-limit") == 0) {
        struct output_limit limits[OUTPUT_CLASSES];
        config_output_limits(value, limits);
        for (int i = 0; i < OUTPUT_CLASSES; i++) {
            if (i > 0) {
                buf_append_char(out, ' ');
            }
            config_append_output_limit((enum output_class)i, &limits[i], out);
        }
    } else if (is_plain_word(text) || (row->kind == RLN_DIRECTIVE_LIST && text.len > 0)) {
        buf_append(out, text);
    } else {
        append_quoted(text, out);
    }
}
