/* The first line of a script, "#!lua name=... flags=..."; see scripts.h. */
#include "script/scripts.h"

static const struct {
    const char *name;
    uint32_t flag;
} flag_names[] = {
    { "no-writes", SCRIPT_NO_WRITES },
    { "allow-oom", SCRIPT_ALLOW_OOM },
    { "allow-stale", SCRIPT_ALLOW_STALE },
    { "no-cluster", SCRIPT_NO_CLUSTER },
    { "allow-cross-slot-keys", SCRIPT_CROSS_SLOT },
};

uint32_t script_flag_of(struct bytes name)
{
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (bytes_equal_nocase(name, bytes_of(flag_names[i].name))) {
            return flag_names[i].flag;
        }
    }
    return 0;
}

/* Takes the part before 'end' off the front of 'text'. */
static struct bytes take_until(struct bytes *text, char end)
{
    const char *found = text->len > 0 ? memchr(text->at, end, text->len) : NULL;
    struct bytes part = { text->at, found != NULL ? (size_t)(found - text->at) : text->len };
    size_t taken = part.len + (found != NULL);
    text->at += taken;
    text->len -= taken;
    return part;
}

static bool fail(struct buf *error, const char *what, struct bytes text)
{
    enum { TOLD = 128 };
    buf_append(error, bytes_of(what));
    buf_append(error, (struct bytes){ text.at, text.len < TOLD ? text.len : TOLD });
    return false;
}

static bool read_flags(struct bytes list, uint32_t *flags, struct buf *error)
{
    while (list.len > 0) {
        struct bytes name = take_until(&list, ',');
        uint32_t flag = script_flag_of(name);
        if (flag == 0) {
            return fail(error, "Unexpected flag in script shebang: ", name);
        }
        *flags |= flag;
    }
    return true;
}

bool script_read_header(struct bytes text, uint32_t *flags, size_t *len, struct buf *error)
{
    *flags = SCRIPT_PLAIN;
    *len = 0;
    if (text.len < 2 || memcmp(text.at, "#!", 2) != 0) {
        return true;
    }
    const char *end = memchr(text.at, '\n', text.len);
    if (end == NULL) {
        return fail(error, "Invalid script shebang", LIT(""));
    }
    *len = (size_t)(end - text.at);
    *flags = 0;
    struct bytes line = { text.at, *len };
    struct bytes engine = take_until(&line, ' ');
    if (!bytes_equal(engine, LIT("#!lua"))) {
        return fail(error, "Unexpected engine in script shebang: ", engine);
    }
    while (line.len > 0) {
        struct bytes option = take_until(&line, ' ');
        if (option.len >= 6 && memcmp(option.at, "flags=", 6) == 0) {
            if (!read_flags((struct bytes){ option.at + 6, option.len - 6 }, flags, error)) {
                return false;
            }
        } else if (option.len > 0) {
            return fail(error, "Unknown lua shebang option: ", option);
        }
    }
    return true;
}
