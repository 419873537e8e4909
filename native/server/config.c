/* Holds the values of all directives: defaults, those of the start, CONFIG SET and GET.
 * Text and kinds are config_value.c's, the rows config_table.c's, files config_rewrite.c's, the
 * copies that threads read config_publish.c's. */
#include "server/config.h"

#include <stdio.h>

#include "base/mem.h"
#include "proto/reader.h"
#include "server/config_publish.h"
#include "server/config_value.h"

void config_init(struct config *config)
{
    size_t count;
    const struct rln_directive *rows = rln_directives(&count);
    char error[CONFIG_ERROR_ROOM];

    memset(config, 0, sizeof *config);
    mutex_init(&config->mutex, RANK_CONFIG);
    config->values = mem_zalloc(count * sizeof config->values[0]);
    for (size_t i = 0; i < count; i++) {
        /* The table's own defaults are fine: test_config checks each. */
        (void)config_value_parse(&rows[i], NULL, bytes_of(rows[i].fallback), &config->values[i],
                                 error);
    }
}

void config_release(struct config *config)
{
    size_t count;
    (void)rln_directives(&count);
    for (size_t i = 0; i < count; i++) {
        config_value_release(&config->values[i]);
    }
    mem_free(config->values);
    mem_free(config->file);
    mutex_release(&config->mutex);
}

/* ---- Who has copies -------------------------------------------------------------------- */

void config_attach(struct config *config, struct engine *engine, struct net_settings *net)
{
    mutex_lock(&config->mutex);
    config->engine = engine;
    config->net = net;
    config_publish(config);
    config_publish_password(config);
    mutex_unlock(&config->mutex);
}

void config_detach(struct config *config)
{
    mutex_lock(&config->mutex);
    config->engine = NULL;
    config->net = NULL;
    mutex_unlock(&config->mutex);
}

/* ---- Setting -------------------------------------------------------------------------- */

/* Parses, and keeps directives without their feature at the default. */
static bool parse_for(struct config *config, int row, struct bytes raw, struct config_value *value,
                      char *error)
{
    size_t count;
    const struct rln_directive *directive = &rln_directives(&count)[row];
    struct config_value *old = &config->values[row];

    mutex_lock(&config->mutex);
    bool fine = config_value_parse(directive, old, raw, value, error);
    if (fine && directive->fixed &&
        !bytes_equal(config_value_bytes(old), config_value_bytes(value))) {
        snprintf(error, CONFIG_ERROR_ROOM,
                 "this server has no such feature; only the default '%s' is accepted", old->text);
        config_value_release(value);
        fine = false;
    }
    mutex_unlock(&config->mutex);
    return fine;
}

static void fail(struct rln_error *error, const char *text)
{
    *error = (struct rln_error){ .os_error = 0 };
    snprintf(error->code, sizeof error->code, "BAD_DIRECTIVE");
    snprintf(error->text, sizeof error->text, "%s", text);
}

/* The words of a redis.conf line joined by spaces; false unless their number fits. */
static bool join_words(const struct rln_directive *row, struct bytes line, struct buf *out)
{
    struct argument_list words = { 0 };
    char *scratch = mem_alloc(line.len + 1);
    bool fine = line_split(line, scratch, &words);

    fine = fine && (row->kind == RLN_DIRECTIVE_LIST ? words.count > 0 : words.count == 1);
    for (uint32_t i = 0; fine && i < words.count; i++) {
        if (i > 0) {
            buf_append_char(out, ' ');
        }
        buf_append(out, words.at[i]);
    }
    argument_list_release(&words);
    mem_free(scratch);
    return fine;
}

/* Adds a line to those of the directive "user"; an empty one stands for none. */
static void add_user(struct config *config, int row, struct bytes words, const char *line)
{
    struct config_value *value = &config->values[row];
    struct buf text = { 0 };
    if (words.len == 0) {
        return;
    }
    mutex_lock(&config->mutex);
    buf_append(&text, config_value_bytes(value));
    buf_append(&text, bytes_of(line));
    buf_append_char(&text, '\n');
    config_value_release(value);
    value->text = mem_strndup(text.at, text.len);
    value->len = text.len;
    mutex_unlock(&config->mutex);
    buf_release(&text);
}

bool config_set_initial(struct config *config, const char *name, const char *value,
                        struct rln_error *error)
{
    size_t count;
    char text[sizeof error->text], reason[CONFIG_ERROR_ROOM];
    struct buf raw = { 0 };
    struct config_value parsed;

    int row = config_row(bytes_of(name));
    if (row < 0) {
        snprintf(text, sizeof text, "Unknown directive '%.64s'.", name);
        fail(error, text);
        return false;
    }
    const struct rln_directive *directive = &rln_directives(&count)[row];
    if (!join_words(directive, bytes_of(value), &raw)) {
        snprintf(text, sizeof text, "Directive '%.64s' takes %s, got '%.64s'.", name,
                 directive->kind == RLN_DIRECTIVE_LIST ? "one or more words" : "one value", value);
        fail(error, text);
        buf_release(&raw);
        return false;
    }
    if (config_is_users(directive)) {
        add_user(config, row, buf_bytes(&raw), value);
        buf_release(&raw);
        return true;
    }
    bool fine = parse_for(config, row, buf_bytes(&raw), &parsed, reason);
    buf_release(&raw);
    if (!fine) {
        snprintf(text, sizeof text, "Directive '%.40s' can't be '%.40s': %.146s.", name, value,
                 reason);
        fail(error, text);
        return false;
    }
    mutex_lock(&config->mutex);
    config_value_release(&config->values[row]);
    config->values[row] = parsed;
    config_publish(config);
    mutex_unlock(&config->mutex);
    return true;
}

/* A change on its way: from its pair to its new value. */
struct change {
    int row;
    bool differs;
    struct config_value value;
};

static void append_failure(struct buf *error, const char *name, const char *reason)
{
    buf_printf(error, "ERR CONFIG SET failed (possibly related to argument '%s') - %s", name,
               reason);
}

static bool is_protected(const struct config *config, const struct rln_directive *row)
{
    return (strcmp(row->name, "dir") == 0 || strcmp(row->name, "dbfilename") == 0) &&
           !config_choice_is(config, "enable-protected-configs", "yes");
}

/* The first reason for which the names can't be set, before any value is looked at. */
static bool check_names(struct config *config, const struct bytes *pairs, struct change *changes,
                        uint32_t count, struct buf *error)
{
    size_t rows;
    const struct rln_directive *table = rln_directives(&rows);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name = pairs[2 * i];
        changes[i].row = config_row(name);
        if (changes[i].row < 0 || config_is_users(&table[changes[i].row])) {
            buf_append(error, LIT("ERR Unknown option or number of arguments for CONFIG SET - '"));
            buf_append(error, name);
            buf_append_char(error, '\'');
            return false;
        }
        const struct rln_directive *row = &table[changes[i].row];
        if (row->at_start_only) {
            append_failure(error, config_row_name(row, name), "can't set immutable config");
            return false;
        }
        if (is_protected(config, row)) {
            append_failure(error, config_row_name(row, name), "can't set protected config");
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (changes[j].row == changes[i].row) {
                append_failure(error, config_row_name(row, name), "duplicate parameter");
                return false;
            }
        }
    }
    return true;
}

/* Parses every value, and asks the owner about those that differ. */
static bool check_values(struct config *config, const struct bytes *pairs, struct change *changes,
                         uint32_t count, struct buf *error)
{
    size_t rows;
    const struct rln_directive *table = rln_directives(&rows);
    char reason[CONFIG_ERROR_ROOM];

    for (uint32_t i = 0; i < count; i++) {
        const struct rln_directive *row = &table[changes[i].row];
        const char *name = config_row_name(row, pairs[2 * i]);
        if (!parse_for(config, changes[i].row, pairs[2 * i + 1], &changes[i].value, reason)) {
            append_failure(error, name, reason);
            return false;
        }
        mutex_lock(&config->mutex);
        changes[i].differs = !bytes_equal(config_value_bytes(&changes[i].value),
                                          config_value_bytes(&config->values[changes[i].row]));
        mutex_unlock(&config->mutex);
        struct rln_error refusal = { .os_error = 0 };
        if (changes[i].differs && config->hooks.accept != NULL &&
            !config->hooks.accept(config->hooks.user, row->name,
                                  config_value_bytes(&changes[i].value), &refusal)) {
            append_failure(error, name, refusal.text);
            return false;
        }
    }
    return true;
}

/* Puts the new values in place; afterwards 'changes' own copies to tell of. */
static void commit(struct config *config, struct change *changes, uint32_t count)
{
    const int password = config_row(LIT("requirepass"));
    bool new_password = false;
    mutex_lock(&config->mutex);
    for (uint32_t i = 0; i < count; i++) {
        struct config_value *value = &config->values[changes[i].row];
        config_value_release(value);
        *value = changes[i].value;
        changes[i].value.text = mem_strndup(value->text, value->len);
        new_password = new_password || (changes[i].row == password && changes[i].differs);
    }
    config_publish(config);
    if (new_password) {
        config_publish_password(config);
    }
    mutex_unlock(&config->mutex);
}

bool config_set_many(struct config *config, const struct bytes *pairs, uint32_t count,
                     struct buf *error)
{
    size_t rows;
    const struct rln_directive *table = rln_directives(&rows);
    uint32_t change_count = count / 2;
    struct change *changes = mem_zalloc((change_count + 1) * sizeof changes[0]);

    bool fine = check_names(config, pairs, changes, change_count, error) &&
                check_values(config, pairs, changes, change_count, error);
    if (fine) {
        commit(config, changes, change_count);
    }
    for (uint32_t i = 0; i < change_count; i++) {
        if (fine && changes[i].differs && config->hooks.changed != NULL) {
            config->hooks.changed(config->hooks.user, table[changes[i].row].name,
                                  config_value_bytes(&changes[i].value));
        }
        config_value_release(&changes[i].value);
    }
    mem_free(changes);
    return fine;
}

void config_set_file(struct config *config, const char *path)
{
    mutex_lock(&config->mutex);
    mem_free(config->file);
    config->file = path == NULL ? NULL : mem_strndup(path, strlen(path));
    mutex_unlock(&config->mutex);
}

void config_file(struct config *config, struct buf *out)
{
    mutex_lock(&config->mutex);
    if (config->file != NULL) {
        buf_append(out, bytes_of(config->file));
    }
    mutex_unlock(&config->mutex);
}

/* ---- Reading -------------------------------------------------------------------------- */

static bool is_glob(struct bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.at[i] == '*' || pattern.at[i] == '?' || pattern.at[i] == '[') {
            return true;
        }
    }
    return false;
}

/* The pattern that 'name' matches first, or -1. */
static int64_t matching_pattern(const struct bytes *patterns, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_glob(patterns[i]) ? bytes_match_glob(patterns[i], name, true)
                                 : bytes_equal_nocase(patterns[i], name)) {
            return i;
        }
    }
    return -1;
}

void config_get(struct config *config, const struct bytes *patterns, uint32_t count,
                void (*each)(void *user, struct bytes name, struct bytes value), void *user)
{
    size_t rows;
    const struct rln_directive *table = rln_directives(&rows);

    mutex_lock(&config->mutex);
    for (size_t i = 0; i < rows; i++) {
        const char *const names[] = { table[i].name, table[i].alias };
        for (int j = 0; j < 2 && names[j] != NULL && !config_is_users(&table[i]); j++) {
            struct bytes name = bytes_of(names[j]);
            int64_t pattern = matching_pattern(patterns, count, name);
            if (pattern >= 0) {
                /* A name without a glob comes back as it was asked for. */
                each(user, is_glob(patterns[pattern]) ? name : patterns[pattern],
                     config_value_bytes(&config->values[i]));
            }
        }
    }
    mutex_unlock(&config->mutex);
}

bool config_text(struct config *config, const char *name, struct buf *out)
{
    size_t count;
    int row = config_row(bytes_of(name));
    if (row < 0) {
        return false;
    }
    mutex_lock(&config->mutex);
    config_value_append(&rln_directives(&count)[row], &config->values[row], out);
    mutex_unlock(&config->mutex);
    return true;
}

int64_t config_number(struct config *config, const char *name)
{
    mutex_lock(&config->mutex);
    int64_t number = config_number_of(config, name);
    mutex_unlock(&config->mutex);
    return number;
}

const char *config_choice(struct config *config, const char *name)
{
    size_t count;
    int row = config_row(bytes_of(name));
    return rln_directives(&count)[row].choices[config_number(config, name)];
}

void config_string(struct config *config, const char *name, struct buf *out)
{
    mutex_lock(&config->mutex);
    buf_append(out, config_value_bytes(config_value_of(config, name)));
    mutex_unlock(&config->mutex);
}

void config_words(struct config *config, const char *name,
                  void (*each)(void *user, struct bytes word), void *user)
{
    struct buf text = { 0 };
    struct bytes word;
    config_string(config, name, &text);
    for (struct bytes rest = buf_bytes(&text); config_next_word(&rest, &word);) {
        each(user, word);
    }
    buf_release(&text);
}
