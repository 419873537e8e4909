/* args.c: a command's arguments are read in order, and the first error sticks. */
#include "check.h"
#include "exec/args.h"

static const struct bytes words[] = { { "12", 2 }, { "-7", 2 },    { "1.5", 3 },
                                      { "EX", 2 }, { "later", 5 }, { "x", 1 } };

static struct args args_over(uint32_t first, uint32_t count)
{
    return (struct args){ .argv = words + first, .argc = count };
}

static void arguments_come_in_order(void)
{
    struct args args = args_over(0, 4);
    CHECK_INT(args_int(&args), 12);
    CHECK_INT(args_int(&args), -7);
    CHECK(args_double(&args) == 1.5);
    CHECK_BYTES(args_next(&args), LIT("EX"));
    CHECK_INT(args_left(&args), 0);
    CHECK_INT(args_end(&args), OK);
}

static void a_missing_argument_is_a_syntax_error(void)
{
    struct args args = args_over(0, 1);
    CHECK_INT(args_int(&args), 12);
    CHECK_INT(args_int(&args), 0);
    CHECK_INT(args_end(&args), ERR_SYNTAX);
}

static void arguments_left_over_are_a_syntax_error(void)
{
    struct args args = args_over(0, 2);
    CHECK_INT(args_int(&args), 12);
    CHECK_INT(args_end(&args), ERR_SYNTAX);
}

static void the_first_error_sticks(void)
{
    struct args args = args_over(3, 3);
    CHECK_INT(args_int(&args), 0);
    CHECK_BYTES(args_next(&args), LIT(""));
    CHECK_INT(args_end(&args), ERR_NOT_INT);

    args = args_over(5, 1);
    CHECK(args_double(&args) == 0);
    CHECK_INT(args_end(&args), ERR_NOT_FLOAT);
}

static void integers_are_held_to_their_range(void)
{
    struct args args = args_over(0, 2);
    CHECK_INT(args_int_in(&args, 0, 12, ERR_OUT_OF_RANGE), 12);
    CHECK_INT(args_int_in(&args, 0, 12, ERR_OUT_OF_RANGE), 0);
    CHECK_INT(args_end(&args), ERR_OUT_OF_RANGE);

    args = args_over(5, 1);
    CHECK_INT(args_int_or(&args, ERR_DB_INDEX), 0);
    CHECK_INT(args_end(&args), ERR_DB_INDEX);
}

static void options_match_in_either_case(void)
{
    struct args args = args_over(3, 3);
    CHECK(!args_option(&args, LIT("px")));
    CHECK(args_option(&args, LIT("ex")));
    CHECK(args_option(&args, LIT("LATER")));
    CHECK(!args_option_with(&args, LIT("X"), 1)); /* Nothing follows it. */
    CHECK(args_option_with(&args, LIT("X"), 0));
    CHECK_INT(args_end(&args), OK);
    CHECK(!args_option(&args, LIT("X")));
}

static void no_option_matches_after_an_error(void)
{
    struct args args = args_over(3, 1);
    args_unknown(&args);
    CHECK(!args_option(&args, LIT("EX")));
    CHECK_INT(args_end(&args), ERR_SYNTAX);
}

int main(void)
{
    RUN_TEST(arguments_come_in_order);
    RUN_TEST(a_missing_argument_is_a_syntax_error);
    RUN_TEST(arguments_left_over_are_a_syntax_error);
    RUN_TEST(the_first_error_sticks);
    RUN_TEST(integers_are_held_to_their_range);
    RUN_TEST(options_match_in_either_case);
    RUN_TEST(no_option_matches_after_an_error);
    return check_done();
}
