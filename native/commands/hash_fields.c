/* FIELDS and the effects of commands that have it; see hash_fields.h. */
#include "commands/hash_fields.h"

#include "base/mem.h"
#include "base/num.h"

/* Ends are at most 46 bits, as Redis keeps them. */
#define END_MAX (INT64_C(0xfffffffffffe) >> 2)

static enum err fail(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

enum err hash_fields_read(struct call *call, uint32_t words, struct bytes not_positive,
                          struct hash_fields *fields)
{
    struct args *args = &call->args;
    int64_t count;
    if (!args_option_with(args, LIT("FIELDS"), 1)) {
        return fail(call, LIT("ERR Mandatory argument FIELDS is missing or not at the right "
                              "position"));
    }
    if (!num_parse_i64(args_next(args), &count) || count < 1) {
        return fail(call, not_positive);
    }
    if (count > (int64_t)args->argc || (uint32_t)count * (uint64_t)words != args_left(args)) {
        return fail(call, LIT("ERR The `numfields` parameter must match the number of arguments"));
    }
    *fields = (struct hash_fields){ args->next, (uint32_t)count };
    args->next = args->argc;
    return OK;
}

enum err hash_read_end(struct call *call, struct bytes text, int64_t base_ms, bool seconds,
                       int64_t *at_ms)
{
    int64_t time;
    if (!num_parse_i64(text, &time)) {
        return ERR_NOT_INT;
    }
    if (time < 0) {
        return fail(call, LIT("ERR invalid expire time, must be >= 0"));
    }
    if (time > (seconds ? END_MAX / 1000 : END_MAX)) {
        return ERR_EXPIRE;
    }
    time = seconds ? time * 1000 : time;
    if (time > END_MAX - base_ms) {
        return ERR_EXPIRE;
    }
    *at_ms = time + base_ms;
    return OK;
}

enum err hash_read_lifetime(struct call *call, const struct lifetime *lifetime, int64_t *at_ms)
{
    bool seconds = lifetime->kind == LIFETIME_EX || lifetime->kind == LIFETIME_EXAT;
    bool relative = lifetime->kind == LIFETIME_EX || lifetime->kind == LIFETIME_PX;
    return hash_read_end(call, lifetime->text, relative ? call->now_ms : 0, seconds, at_ms);
}

bool hash_effect_init(struct hash_effect *effect, uint32_t head, uint32_t fields)
{
    effect->head = head;
    effect->count = 0;
    effect->argv = mem_try_alloc((head + fields) * sizeof *effect->argv);
    return effect->argv != NULL;
}

void hash_effect_release(struct hash_effect *effect)
{
    mem_free(effect->argv);
    effect->argv = NULL;
}

void hash_effect_delete(struct call *call, struct bytes key, struct hash_effect *effect)
{
    effect->argv[0] = LIT("HDEL");
    effect->argv[1] = key;
    call_propagate_as(call, effect->argv, effect->head + effect->count);
}

void hash_effect_expire(struct call *call, struct bytes key, int64_t at_ms,
                        struct hash_effect *effect)
{
    char time[NUM_INT_ROOM], count[NUM_INT_ROOM];
    effect->argv[0] = LIT("HPEXPIREAT");
    effect->argv[1] = key;
    effect->argv[2] = (struct bytes){ time, num_format_i64(time, at_ms) };
    effect->argv[3] = LIT("FIELDS");
    effect->argv[4] = (struct bytes){ count, num_format_i64(count, effect->count) };
    call_propagate_as(call, effect->argv, effect->head + effect->count);
}

void hash_effect_persist(struct call *call, struct bytes key, struct hash_effect *effect)
{
    char count[NUM_INT_ROOM];
    effect->argv[0] = LIT("HPERSIST");
    effect->argv[1] = key;
    effect->argv[2] = LIT("FIELDS");
    effect->argv[3] = (struct bytes){ count, num_format_i64(count, effect->count) };
    call_propagate_as(call, effect->argv, effect->head + effect->count);
}
