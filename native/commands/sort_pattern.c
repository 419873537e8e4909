/* What SORT's patterns lead to; see sort_pattern.h. */
#include "commands/sort_pattern.h"

#include "store/hash.h"

/* Redis looks for star and arrow as in a C string, which ends at the first NUL. */
static struct bytes as_c_string(struct bytes text)
{
    const char *end = text.len > 0 ? memchr(text.at, '\0', text.len) : NULL;
    return end != NULL ? (struct bytes){ text.at, (size_t)(end - text.at) } : text;
}

static const char *find_star(struct bytes text)
{
    struct bytes visible = as_c_string(text);
    return visible.len > 0 ? memchr(visible.at, '*', visible.len) : NULL;
}

bool sort_pattern_leads_away(struct bytes text)
{
    return find_star(text) != NULL;
}

/* The arrow with something behind it, from 'from' on; NULL when there is none. */
static const char *find_arrow(struct bytes text, const char *from)
{
    struct bytes visible = as_c_string(text);
    const char *end = visible.at + visible.len;
    for (const char *at = from; end - at > 2; at++) {
        if (at[0] == '-' && at[1] == '>') {
            return at;
        }
    }
    return NULL;
}

struct sort_pattern sort_pattern_read(struct bytes text)
{
    struct sort_pattern pattern = { 0 };
    const char *star = find_star(text), *end = text.at + text.len;
    pattern.is_element = bytes_equal(as_c_string(text), LIT("#"));
    pattern.has_star = star != NULL;
    if (star == NULL) {
        return pattern;
    }
    const char *arrow = find_arrow(text, star + 1);
    pattern.has_field = arrow != NULL;
    if (arrow != NULL) {
        pattern.field = (struct bytes){ arrow + 2, (size_t)(end - arrow) - 2 };
        end = arrow;
    }
    pattern.before = (struct bytes){ text.at, (size_t)(star - text.at) };
    pattern.behind = (struct bytes){ star + 1, (size_t)(end - star) - 1 };
    return pattern;
}

/* The string of a key, or the field of its hash. */
static void take_value(struct call *call, const struct sort_pattern *pattern,
                       const struct entry *entry, struct sort_found *found)
{
    if (!pattern->has_field) {
        found->found = entry->type == VALUE_STRING;
        if (found->found) {
            found->text = entry_string(entry);
        }
        return;
    }
    struct hash_field field;
    struct hash hash = hash_of(entry);
    found->found =
        entry->type == VALUE_HASH && hash_find(call->thread, &hash, pattern->field, &field);
    if (found->found) {
        found->text = hash_text(&field.value, found->digits);
    }
}

enum err sort_pattern_find(struct call *call, const struct sort_pattern *pattern,
                           struct bytes element, struct buf *key, struct sort_found *found)
{
    found->found = pattern->is_element;
    found->text = pattern->is_element ? element : LIT("");
    if (pattern->is_element || !pattern->has_star) {
        return OK;
    }
    key->len = 0;
    if (!buf_reserve(key, pattern->before.len + element.len + pattern->behind.len + 1)) {
        return ERR_OUT_OF_MEMORY;
    }
    buf_append(key, pattern->before);
    buf_append(key, element);
    buf_append(key, pattern->behind);
    struct entry *entry;
    enum err err = lookup_value(call, buf_bytes(key), VALUE_ANY, &entry);
    if (err == OK && entry != NULL) {
        take_value(call, pattern, entry, found);
    }
    return err;
}
