/* Whole files; see file.h. */
#include "server/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, struct buf *text, mode_t *mode)
{
    struct stat status;
    int result = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *mode = 0644;
    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &status) == 0) {
        *mode = status.st_mode & 0777;
    }
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            result = got < 0 ? errno : 0;
            break;
        }
        buf_append(text, (struct bytes){ chunk, (size_t)got });
    }
    close(fd);
    return result;
}

static int write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t put = write(fd, text.at, text.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return errno;
        }
        text.at += put;
        text.len -= (size_t)put;
    }
    return 0;
}

int file_replace(const char *path, struct bytes text, mode_t mode)
{
    struct buf temporary = { 0 };
    int result = 0;

    buf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    buf_append_char(&temporary, '\0');
    int fd = open(temporary.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) {
        result = errno;
        goto out;
    }
    result = write_all(fd, text);
    if (result == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0)) {
        result = errno;
    }
    close(fd);
    if (result == 0 && rename(temporary.at, path) < 0) {
        result = errno;
    }
    if (result != 0) {
        unlink(temporary.at);
    }
out:
    buf_release(&temporary);
    return result;
}
