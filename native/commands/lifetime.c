/* How long a key lives, as options say it; see lifetime.h. */
#include "commands/lifetime.h"

#include "base/num.h"

bool lifetime_read(struct args *args, enum lifetime_kind kind, struct bytes word,
                   struct lifetime *lifetime)
{
    bool timed = kind <= LIFETIME_PXAT;
    if (timed ? !args_option_with(args, word, 1) : !args_option(args, word)) {
        return false;
    }
    if (lifetime->kind != LIFETIME_NONE && lifetime->kind != kind) {
        args_unknown(args);
    }
    lifetime->kind = kind;
    if (timed) {
        lifetime->text = args_next(args);
    }
    return true;
}

bool lifetime_read_time(struct args *args, struct lifetime *lifetime)
{
    return lifetime_read(args, LIFETIME_EX, LIT("EX"), lifetime) ||
           lifetime_read(args, LIFETIME_PX, LIT("PX"), lifetime) ||
           lifetime_read(args, LIFETIME_EXAT, LIT("EXAT"), lifetime) ||
           lifetime_read(args, LIFETIME_PXAT, LIT("PXAT"), lifetime);
}

enum err lifetime_end(const struct call *call, const struct lifetime *lifetime, int64_t *at_ms)
{
    bool seconds = lifetime->kind == LIFETIME_EX || lifetime->kind == LIFETIME_EXAT;
    bool relative = lifetime->kind == LIFETIME_EX || lifetime->kind == LIFETIME_PX;
    int64_t time;
    if (!num_parse_i64(lifetime->text, &time)) {
        return ERR_NOT_INT;
    }
    if (time <= 0 || (seconds && time > INT64_MAX / 1000)) {
        return ERR_EXPIRE;
    }
    if (seconds) {
        time *= 1000;
    }
    if (relative) {
        if (time > INT64_MAX - call->now_ms) {
            return ERR_EXPIRE;
        }
        time += call->now_ms;
    }
    *at_ms = time;
    return OK;
}
