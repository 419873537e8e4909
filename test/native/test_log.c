/* Log lines: levels, length, and that a message stays on its line.  The texts of errors
 * too. */
#include "base/err.h"
#include "base/log.h"
#include "check.h"

struct heard {
    char text[2048];
    size_t len;
    int lines;
    enum log_level level;
};

static void hear(void *user, enum log_level level, struct bytes line)
{
    struct heard *heard = user;
    memcpy(heard->text, line.at, line.len);
    heard->len = line.len;
    heard->level = level;
    heard->lines++;
}

static void lines_below_the_level_are_not_written(void)
{
    struct heard heard = { .lines = 0 };
    struct log log = { .write = hear, .user = &heard, .level = LOG_NOTICE };
    log_debug(&log, "%d", 1);
    log_verbose(&log, "%d", 2);
    CHECK_INT(heard.lines, 0);
    log_notice(&log, "%s %d", "three", 3);
    CHECK_BYTES(((struct bytes){ heard.text, heard.len }), LIT("three 3"));
    log_warning(&log, "four");
    CHECK_INT(heard.level, LOG_WARNING);
    atomic_store(&log.level, LOG_NOTHING);
    log_warning(&log, "five");
    CHECK_INT(heard.lines, 2);
    log_warning(NULL, "no log");
}

static void a_message_stays_on_one_line_of_bounded_length(void)
{
    struct heard heard = { .lines = 0 };
    struct log log = { .write = hear, .user = &heard, .level = LOG_DEBUG };
    log_notice(&log, "a\r\nb%s", "\nc");
    CHECK_BYTES(((struct bytes){ heard.text, heard.len }), LIT("a  b c"));
    log_notice(&log, "%02000d", 7);
    CHECK_INT(heard.len, 1023);
}

static void every_error_has_a_text(void)
{
    for (int err = OK; err < ERR_COUNT; err++) {
        CHECK(err_text((enum err)err) != NULL && strlen(err_text((enum err)err)) > 1);
    }
    CHECK_TEXT(err_text(ERR_SYNTAX), "ERR syntax error");
    CHECK_TEXT(err_text(ERR_COUNT), "ERR internal error");
}

int main(void)
{
    RUN_TEST(lines_below_the_level_are_not_written);
    RUN_TEST(a_message_stays_on_one_line_of_bounded_length);
    RUN_TEST(every_error_has_a_text);
    return check_done();
}
