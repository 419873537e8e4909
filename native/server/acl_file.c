/* Reads and writes files of users; see acl_file.h. */
#include "server/acl_file.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/os.h"
#include "proto/reader.h"
#include "server/file.h"
#include "server/server.h"

enum { MODE_OF_NEW = 0644 };

/* The path, terminated; false when there is none. */
static bool path_of(struct rln_server *server, struct buf *path)
{
    config_string(&server->config, "aclfile", path);
    bool there = path->len > 0;
    buf_append_char(path, '\0');
    return there;
}

static bool load(struct rln_server *server, const struct session *own, const char *path,
                 struct buf *errors)
{
    struct buf text = { 0 };
    mode_t mode;
    int failure = file_read(path, &text, &mode);
    bool fine = failure == 0;
    if (fine) {
        fine = acl_load(&server->engine, own, buf_bytes(&text), path, errors);
    } else {
        buf_printf(errors, "Error loading ACLs, opening file '%s': %s", path,
                   os_error(failure).text);
    }
    buf_release(&text);
    return fine;
}

static bool refuse(struct buf *error)
{
    buf_append(error,
               LIT("ERR This Redis instance is not configured to use an ACL file. You may want to "
                   "specify users via the ACL SETUSER command and then issue a CONFIG REWRITE "
                   "(assuming you have a Redis configuration file set) in order to store users "
                   "in the Redis configuration."));
    return false;
}

bool acl_file_load(struct rln_server *server, const struct session *own, struct buf *error)
{
    struct buf path = { 0 };
    bool fine = false;
    if (!path_of(server, &path)) {
        (void)refuse(error);
        goto out;
    }
    buf_append(error, LIT("ERR "));
    fine = load(server, own, path.at, error);
out:
    buf_release(&path);
    return fine;
}

bool acl_file_save(struct rln_server *server, struct buf *error)
{
    struct buf path = { 0 }, text = { 0 };
    bool fine = false;
    if (!path_of(server, &path)) {
        (void)refuse(error);
        goto out;
    }
    acl_describe(&server->engine.acl, &text);
    int failure = file_replace(path.at, buf_bytes(&text), MODE_OF_NEW);
    fine = failure == 0;
    if (!fine) {
        log_warning(&server->log, "Writing ACL file for ACL SAVE: %s", os_error(failure).text);
        buf_append(error, LIT("ERR There was an error trying to save the ACLs. Please check the "
                              "server logs for more information"));
    }
out:
    buf_release(&path);
    buf_release(&text);
    return fine;
}

/* ---- Directives ---------------------------------------------------------------------------- */

/* One line of the directive "user": a name and rules. */
static bool add_user(struct rln_server *server, const struct bytes *words, uint32_t count,
                     bool *has_default, struct buf *errors)
{
    struct acl *acl = &server->engine.acl;
    bool is_default = bytes_equal(words[0], LIT("default"));
    if (is_default ? *has_default : acl_find(acl, words[0]) != NULL) {
        buf_append(errors, LIT("Duplicate user found. A user can only be defined once in config "
                               "files"));
        return false;
    }
    *has_default = *has_default || is_default;
    if (is_default) {
        struct bytes reset = LIT("reset");
        if (!acl_set(&server->engine, NULL, words[0], &reset, 1, errors)) {
            return false;
        }
    }
    return acl_set(&server->engine, NULL, words[0], words + 1, count - 1, errors);
}

static bool add_users(struct rln_server *server, struct bytes text, struct buf *errors)
{
    bool fine = true, has_default = false;
    while (fine && text.len > 0) {
        struct argument_list words = { 0 };
        const char *end = memchr(text.at, '\n', text.len);
        struct bytes line = { text.at, end != NULL ? (size_t)(end - text.at) : text.len };
        char *scratch = mem_alloc(line.len + 1);
        text.at += line.len + (end != NULL);
        text.len -= line.len + (end != NULL);
        fine = line_split(line, scratch, &words) && words.count > 0 &&
               add_user(server, words.at, words.count, &has_default, errors);
        argument_list_release(&words);
        mem_free(scratch);
    }
    return fine;
}

bool acl_file_start(struct rln_server *server, struct rln_error *error)
{
    struct buf path = { 0 }, users = { 0 }, errors = { 0 };
    bool fine = true;
    bool has_file = path_of(server, &path);
    config_string(&server->config, "user", &users);
    if (has_file && users.len > 0) {
        fine = false;
        buf_append(&errors, LIT("There are both a file of users (aclfile) and directives 'user'; "
                                "there can be one of them"));
    } else if (has_file) {
        fine = load(server, NULL, path.at, &errors);
    } else {
        fine = add_users(server, buf_bytes(&users), &errors);
    }
    if (!fine) {
        log_warning(&server->log, "Aborting startup because of ACL errors: %.*s", (int)errors.len,
                    errors.at);
        snprintf(error->code, sizeof error->code, "BAD_USERS");
        snprintf(error->text, sizeof error->text, "%.*s", (int)errors.len, errors.at);
    }
    buf_release(&path);
    buf_release(&users);
    buf_release(&errors);
    return fine;
}
