/* Reading a command's arguments; see args.h. */
#include "exec/args.h"

#include "base/num.h"

struct bytes args_next(struct args *args)
{
    if (args->err != OK || args->next >= args->argc) {
        args_fail(args, ERR_SYNTAX);
        return LIT("");
    }
    return args->argv[args->next++];
}

int64_t args_int(struct args *args)
{
    return args_int_or(args, ERR_NOT_INT);
}

int64_t args_int_or(struct args *args, enum err fault)
{
    struct bytes text = args_next(args);
    int64_t value = 0;
    if (args->err == OK && !num_parse_i64(text, &value)) {
        args_fail(args, fault);
        return 0;
    }
    return value;
}

int64_t args_int_in(struct args *args, int64_t min, int64_t max, enum err fault)
{
    int64_t value = args_int_or(args, fault);
    if (args->err == OK && (value < min || value > max)) {
        args_fail(args, fault);
        return 0;
    }
    return value;
}

double args_double(struct args *args)
{
    struct bytes text = args_next(args);
    double value = 0;
    if (args->err == OK && !num_parse_double(text, &value)) {
        args_fail(args, ERR_NOT_FLOAT);
        return 0;
    }
    return value;
}

long double args_long_double(struct args *args)
{
    struct bytes text = args_next(args);
    long double value = 0;
    if (args->err == OK && !num_parse_long_double(text, &value)) {
        args_fail(args, ERR_NOT_FLOAT);
        return 0;
    }
    return value;
}

bool args_option(struct args *args, struct bytes word)
{
    return args_option_with(args, word, 0);
}

bool args_option_with(struct args *args, struct bytes word, uint32_t values)
{
    if (args->err != OK || args_left(args) < values + 1 ||
        !bytes_equal_nocase(args->argv[args->next], word)) {
        return false;
    }
    args->next++;
    return true;
}

enum err args_end(struct args *args)
{
    if (args->next < args->argc) {
        args_fail(args, ERR_SYNTAX);
    }
    return args->err;
}

enum err args_end_lazily(struct args *args, bool *lazily)
{
    if (args_option(args, LIT("async"))) {
        *lazily = true;
    } else if (args_option(args, LIT("sync"))) {
        *lazily = false;
    }
    return args_end(args);
}
