/* BITFIELD and BITFIELD_RO: integers of any width at any bit of a string. */
#include "base/bits.h"
#include "base/mem.h"
#include "base/num.h"
#include "commands/bit_offset.h"
#include "commands/families.h"
#include "commands/lookup.h"

enum field_overflow { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL };
enum field_kind { FIELD_GET, FIELD_SET, FIELD_INCRBY };

/* One step of the command. */
struct field {
    uint64_t offset;
    int64_t operand;
    uint8_t width, kind, overflow;
    bool is_signed;
};

/* What all steps come to. */
struct fields {
    struct field *steps;
    uint32_t count;
    bool writes;
    uint64_t end; /* the bit after the last one that is written */
};

enum { FEW_STEPS = 16 };

/* ---- Reading ------------------------------------------------------------------------------ */

static MUST_CHECK enum err read_type(struct call *call, struct bytes text, struct field *field)
{
    int64_t width = 0;
    field->is_signed = text.len > 0 && text.at[0] == 'i';
    bool known = field->is_signed || (text.len > 0 && text.at[0] == 'u');
    if (!known || !num_parse_i64((struct bytes){ text.at + 1, text.len - 1 }, &width) ||
        width < 1 || width > (field->is_signed ? 64 : 63)) {
        reply_error(call->reply,
                    LIT("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is "
                        "not supported but i64 is."));
        return ERR_REPLIED;
    }
    field->width = (uint8_t)width;
    return OK;
}

static MUST_CHECK enum err read_overflow(struct call *call, uint8_t *overflow)
{
    struct bytes word = args_next(&call->args);
    if (bytes_equal_nocase(word, LIT("WRAP"))) {
        *overflow = OVERFLOW_WRAP;
    } else if (bytes_equal_nocase(word, LIT("SAT"))) {
        *overflow = OVERFLOW_SAT;
    } else if (bytes_equal_nocase(word, LIT("FAIL"))) {
        *overflow = OVERFLOW_FAIL;
    } else {
        reply_error(call->reply, LIT("ERR Invalid OVERFLOW type specified"));
        return ERR_REPLIED;
    }
    return OK;
}

/* The arguments behind GET, SET and INCRBY. */
static MUST_CHECK enum err read_step(struct call *call, struct fields *fields, struct field *field)
{
    enum err err = read_type(call, args_next(&call->args), field);
    if (err == OK) {
        err = bit_offset_read(call, args_next(&call->args), field->width, &field->offset);
    }
    if (err != OK || field->kind == FIELD_GET) {
        return err;
    }
    fields->writes = true;
    if (fields->end < field->offset + field->width) {
        fields->end = field->offset + field->width;
    }
    return num_parse_i64(args_next(&call->args), &field->operand) ? OK : ERR_NOT_INT;
}

/* 'fields->steps' has room for every argument. */
static MUST_CHECK enum err read_fields(struct call *call, struct fields *fields)
{
    struct args *args = &call->args;
    uint8_t overflow = OVERFLOW_WRAP;
    (void)args_next(args);
    while (args_left(args) > 0) {
        struct field field = { .overflow = overflow };
        enum err err;
        if (args_option_with(args, LIT("OVERFLOW"), 1)) {
            err = read_overflow(call, &overflow);
            if (err != OK) {
                return err;
            }
            continue;
        }
        if (args_option_with(args, LIT("GET"), 2)) {
            field.kind = FIELD_GET;
        } else if (args_option_with(args, LIT("SET"), 3)) {
            field.kind = FIELD_SET;
        } else if (args_option_with(args, LIT("INCRBY"), 3)) {
            field.kind = FIELD_INCRBY;
        } else {
            return ERR_SYNTAX;
        }
        err = read_step(call, fields, &field);
        if (err != OK) {
            return err;
        }
        fields->steps[fields->count++] = field;
    }
    return OK;
}

/* ---- Arithmetic ------------------------------------------------------------------------- */

static uint64_t lowest(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

/* The low bits of 'value' as an integer with a sign. */
static int64_t with_sign(uint64_t value, unsigned width)
{
    unsigned unused = 64 - width;
    return (int64_t)(value << unused) >> unused;
}

/* Whether 'value' and 'operand' add up to more than a field holds; '*result' is then what the
 * step's overflow rule makes of it, else the sum.
 *
 * A SET is the sum of its value and nothing.  The room that is left is counted modulo 2^64, so
 * that a value below all fields by almost 2^63 saturates at the other end: Redis does so. */
static bool add_signed(const struct field *field, int64_t value, int64_t operand, int64_t *result)
{
    unsigned width = field->width;
    int64_t max = (int64_t)(lowest(width) >> 1), min = -max - 1;
    int64_t above = (int64_t)((uint64_t)max - (uint64_t)value);
    int64_t below = (int64_t)((uint64_t)min - (uint64_t)value);
    uint64_t sum = (uint64_t)value + (uint64_t)operand;
    bool over = value > max || (width != 64 && operand > above) ||
                (value >= 0 && operand > 0 && operand > above);
    bool under = value < min || (width != 64 && operand < below) ||
                 (value < 0 && operand < 0 && operand < below);
    *result = with_sign(sum, width);
    if ((over || under) && field->overflow == OVERFLOW_SAT) {
        *result = over ? max : min;
    }
    return over || under;
}

static bool add_unsigned(const struct field *field, uint64_t value, int64_t operand,
                         uint64_t *result)
{
    uint64_t max = lowest(field->width);
    uint64_t lost = operand < 0 ? 0 - (uint64_t)operand : 0;
    bool over = value > max || (operand > 0 && (uint64_t)operand > max - value);
    bool under = !over && lost > value;
    *result = (value + (uint64_t)operand) & max;
    if ((over || under) && field->overflow == OVERFLOW_SAT) {
        *result = over ? max : 0;
    }
    return over || under;
}

/* What a step writes into a field that holds 'old', and what it replies; false when it fails. */
static bool compute(const struct field *field, uint64_t old, uint64_t *new, int64_t *told)
{
    bool adds = field->kind == FIELD_INCRBY, overflows;
    if (field->is_signed) {
        int64_t value = with_sign(old, field->width), result;
        overflows =
            add_signed(field, adds ? value : field->operand, adds ? field->operand : 0, &result);
        *new = (uint64_t)result &lowest(field->width);
        *told = adds ? result : value;
    } else {
        uint64_t result;
        overflows = add_unsigned(field, adds ? old : (uint64_t)field->operand,
                                 adds ? field->operand : 0, &result);
        *new = result;
        *told = (int64_t)(adds ? result : old);
    }
    return !(overflows && field->overflow == OVERFLOW_FAIL);
}

/* ---- Running ------------------------------------------------------------------------------ */

static void reply_field(struct call *call, const struct field *field, struct bytes value)
{
    uint64_t bits = bits_read(value, field->offset, field->width);
    reply_integer(call->reply, field->is_signed ? with_sign(bits, field->width) : (int64_t)bits);
}

/* 'at' has room for all steps, which may be new.  Returns whether one of them has written
 * another value, or into what is new. */
static bool run_steps(struct call *call, const struct fields *fields, char *at, size_t len,
                      bool is_new)
{
    bool changed = false;
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->steps[i];
        struct bytes value = { at, len };
        if (field->kind == FIELD_GET) {
            reply_field(call, field, value);
            continue;
        }
        uint64_t old = bits_read(value, field->offset, field->width), new;
        int64_t told;
        if (!compute(field, old, &new, &told)) {
            reply_null(call->reply);
            continue;
        }
        bits_write(at, field->offset, field->width, new);
        changed = changed || is_new || new != old;
        reply_integer(call->reply, told);
    }
    return changed;
}

static MUST_CHECK enum err read_only(struct call *call, const struct fields *fields)
    REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_string(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, fields->count);
    for (uint32_t i = 0; i < fields->count; i++) {
        reply_field(call, &fields->steps[i], entry != NULL ? entry_string(entry) : LIT(""));
    }
    return OK;
}

static MUST_CHECK enum err write_fields(struct call *call, const struct fields *fields)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    size_t len = entry != NULL ? entry_string(entry).len : 0;
    size_t needed = (size_t)((fields->end + 7) / 8);
    bool grows = needed > len;
    char *at;
    len = grows ? needed : len;
    err = keyspace_resize_string(call->keyspace, call->keys, key, len, &at);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, fields->count);
    bool changed = run_steps(call, fields, at, len, grows);
    if (changed || grows) {
        /* Where every step has failed, the string has only become longer: no event of that. */
        call_changed(call, key, changed ? "setbit" : NULL);
    }
    return OK;
}

static MUST_CHECK enum err run_fields(struct call *call, bool may_write) REQUIRES(*call->keys)
{
    struct field few[FEW_STEPS];
    struct fields fields = { .steps = few };
    /* A step takes three arguments at least. */
    uint32_t most = call->args.argc / 3 + 1;
    if (most > FEW_STEPS) {
        fields.steps = mem_try_alloc(most * sizeof *fields.steps);
        if (fields.steps == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
    }
    enum err err = read_fields(call, &fields);
    if (err == OK && fields.writes && !may_write) {
        reply_error(call->reply, LIT("ERR BITFIELD_RO only supports the GET subcommand"));
        err = ERR_REPLIED;
    }
    if (err == OK) {
        err = fields.writes ? write_fields(call, &fields) : read_only(call, &fields);
    }
    if (fields.steps != few) {
        mem_free(fields.steps);
    }
    return err;
}

static enum err bitfield(struct call *call) REQUIRES(*call->keys)
{
    return run_fields(call, true);
}

static enum err bitfield_ro(struct call *call) REQUIRES(*call->keys)
{
    return run_fields(call, false);
}

/* With nothing but GET the key is only read. */
static int bitfield_keys(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    uint32_t at = 2;
    while (at < argc) {
        uint32_t left = argc - at - 1;
        if (bytes_equal_nocase(argv[at], LIT("GET")) && left >= 2) {
            at += 3;
        } else if (bytes_equal_nocase(argv[at], LIT("OVERFLOW")) && left >= 1) {
            at += 2;
        } else {
            break;
        }
    }
    bool reads = at >= argc;
    found[0] =
        (struct found_key){ 1, reads ? KEY_RO | KEY_ACCESS : KEY_RW | KEY_ACCESS | KEY_UPDATE };
    return argc > 1 ? 1 : -1;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "bitfield", .handler = bitfield, .arity = -2, .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { { .begin = KEYS_BEGIN_INDEX,
                    .find = KEYS_FIND_RANGE,
                    .index = 1,
                    .step = 1,
                    .flags = KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS,
                    .notes = "This command allows both access and modification of the key" } },
        .find_keys = bitfield_keys,
        .since = "3.2.0", .complexity = "O(1) for each step.",
        .summary = "Reads, writes and adds to integers of any width within a string.",
        .syntax = "key:key [operation=<GET get-block=(encoding:string offset:int) | "
                  "write=([OVERFLOW overflow-block=<WRAP | SAT | FAIL>] write-operation=<"
                  "SET set-block=(encoding:string offset:int value:int) | "
                  "INCRBY incrby-block=(encoding:string offset:int increment:int)>)> ...]",
    },
    {
        .name = "bitfield_ro", .handler = bitfield_ro, .arity = -2, .group = GROUP_BITMAP,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.0.0", .complexity = "O(1) for each step.",
        .summary = "Reads integers of any width within a string.",
        .syntax = "key:key [GET get-block=(encoding:string offset:int)]...",
    },
};
/* clang-format on */

const struct command_family cmd_bitfield_family = { rows, sizeof rows / sizeof rows[0] };
