/* Files that are read and replaced as a whole: redis.conf, the file of users. */
#ifndef SERVER_FILE_H
#define SERVER_FILE_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends the whole file to 'text'; '*mode' is its permissions, 0644 when there is none.  0 or an
 * errno value. */
int file_read(const char *path, struct buf *text, mode_t *mode);

/* Writes a new file and puts it in the place of the old.  0 or an errno value; then the old file
 * is as it was. */
int file_replace(const char *path, struct bytes text, mode_t mode);

#endif
