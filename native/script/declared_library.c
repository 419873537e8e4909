/* Finds the body of a function in the text of its library, and proves of it what declared.c proves of
 * a script: as if its parameters were KEYS and ARGV. */
#include "base/mem.h"
#include "script/declared.h"
#include "script/outline.h"

/* A function's tokens: the parenthesis before its parameters, its first one, its "end". */
struct body {
    uint32_t parameters, first, end;
};

struct local_function {
    struct bytes name;
    struct body body;
};

struct library_outline {
    const struct reading *reading;
    uint32_t at;                            /* the next token */
    struct local_function locals[LIST_MAX]; /* in order */
    uint32_t local_count;
};

/* What is registered. */
struct registration {
    struct bytes name;
    struct body body;
};

static const struct token *next(const struct library_outline *library)
{
    return &library->reading->tokens[library->at];
}

static bool take_sign(struct library_outline *library, const char *text)
{
    bool there = outline_is_sign(next(library), text);
    library->at += there;
    return there;
}

static bool take_name(struct library_outline *library, const char *text)
{
    bool there = outline_is_name(next(library), text);
    library->at += there;
    return there;
}

/* A literal without escapes. */
static bool take_string(struct library_outline *library, struct bytes *text)
{
    const struct token *token = next(library);
    if (token->kind != TOKEN_STRING || memchr(token->text.at, '\\', token->text.len) != NULL) {
        return false;
    }
    *text = (struct bytes){ token->text.at + 1, token->text.len - 2 };
    library->at++;
    return true;
}

/* Behind "function", and its name: the rest of it. */
static bool take_function(struct library_outline *library, struct body *body)
{
    static const char *const begin[] = { "function", "if", "do", "repeat" };
    const struct reading *reading = library->reading;
    body->parameters = library->at;
    if (!take_sign(library, "(")) {
        return false;
    }
    while (library->at < reading->count && !outline_is_sign(next(library), ")")) {
        library->at++;
    }
    body->first = ++library->at;
    for (uint32_t depth = 1; library->at < reading->count; library->at++) {
        if (next(library)->kind != TOKEN_NAME || outline_is_field(reading, library->at)) {
            continue;
        }
        for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) {
            depth += outline_is_name(next(library), begin[i]);
        }
        depth -= outline_is_name(next(library), "end") || outline_is_name(next(library), "until");
        if (depth == 0) {
            body->end = library->at++;
            return true;
        }
    }
    return false;
}

/* The newest one of a name, or NULL. */
static const struct local_function *find_local(const struct library_outline *library,
                                               struct bytes name)
{
    for (uint32_t i = library->local_count; i > 0; i--) {
        if (bytes_equal(library->locals[i - 1].name, name)) {
            return &library->locals[i - 1];
        }
    }
    return NULL;
}

/* "local function name(...) ... end". */
static bool take_local_function(struct library_outline *library)
{
    if (library->local_count == LIST_MAX || !take_name(library, "function") ||
        next(library)->kind != TOKEN_NAME) {
        return false;
    }
    struct local_function *local = &library->locals[library->local_count];
    local->name = next(library)->text;
    library->at++;
    library->local_count++;
    return take_function(library, &local->body);
}

static bool take_callback(struct library_outline *library, struct body *body)
{
    if (take_name(library, "function")) {
        return take_function(library, body);
    }
    const struct local_function *local = find_local(library, next(library)->text);
    if (local == NULL) {
        return false;
    }
    *body = local->body;
    library->at++;
    return true;
}

/* "{ 'no-writes', ... }". */
static bool take_flags(struct library_outline *library)
{
    struct bytes flag;
    if (!take_sign(library, "{")) {
        return false;
    }
    while (take_string(library, &flag) && take_sign(library, ",")) {}
    return take_sign(library, "}");
}

/* Behind "{": fields, and "}". */
static bool take_fields(struct library_outline *library, struct registration *registration)
{
    struct bytes description;
    bool fine = true;
    while (fine && !take_sign(library, "}")) {
        const struct token *field = next(library);
        library->at++;
        fine = take_sign(library, "=");
        if (outline_is_name(field, "function_name")) {
            fine = fine && take_string(library, &registration->name);
        } else if (outline_is_name(field, "callback")) {
            fine = fine && take_callback(library, &registration->body);
        } else if (outline_is_name(field, "description")) {
            fine = fine && take_string(library, &description);
        } else {
            fine = fine && outline_is_name(field, "flags") && take_flags(library);
        }
        bool more = take_sign(library, ",") || take_sign(library, ";");
        fine = fine && (more || outline_is_sign(next(library), "}"));
    }
    return fine;
}

/* Behind "redis": ".register_function('name', callback)", or with a table of fields. */
static bool take_registration(struct library_outline *library, struct registration *registration)
{
    *registration = (struct registration){ 0 };
    if (!take_sign(library, ".") || !take_name(library, "register_function")) {
        return false;
    }
    bool brackets = take_sign(library, "(");
    bool fine = take_sign(library, "{")
                    ? take_fields(library, registration)
                    : brackets && take_string(library, &registration->name) &&
                          take_sign(library, ",") && take_callback(library, &registration->body);
    return fine && (!brackets || take_sign(library, ")")) && registration->body.end != 0;
}

/* Follows the whole library; false when there is anything else in it, or not this function. */
static bool find_body(struct library_outline *library, struct bytes function, struct body *body)
{
    bool found = false;
    while (library->at < library->reading->count) {
        struct registration registration;
        if (take_sign(library, ";")) {
            continue;
        }
        if (take_name(library, "local")) {
            if (!take_local_function(library)) {
                return false;
            }
            continue;
        }
        if ((!take_name(library, "redis") && !take_name(library, "server")) ||
            !take_registration(library, &registration)) {
            return false;
        }
        if (bytes_equal(registration.name, function)) {
            found = true;
            *body = registration.body;
        }
    }
    return found;
}

/* The names of at most two parameters; those that are not there stay empty. */
static bool read_parameters(const struct reading *reading, const struct body *body,
                            struct bytes names[2])
{
    uint32_t at = body->parameters + 1;
    for (int i = 0; i < 2 && reading->tokens[at].kind == TOKEN_NAME; i++) {
        names[i] = reading->tokens[at++].text;
        at += i == 0 && outline_is_sign(&reading->tokens[at], ",");
    }
    return at + 1 == body->first && (names[1].len == 0 || !bytes_equal(names[0], names[1]));
}

/* The body's tokens, as those of a script. */
static bool copy_body(const struct library_outline *library, const struct body *body,
                      struct reading *script)
{
    const struct reading *reading = library->reading;
    struct bytes names[2] = { { 0 }, { 0 } };
    uint32_t count = body->end - body->first;
    if (!read_parameters(reading, body, names)) {
        return false;
    }
    script->tokens = mem_try_alloc((count + OUTLINE_ENDS) * sizeof *script->tokens);
    if (script->tokens == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count + OUTLINE_ENDS; i++) {
        struct token *token = &script->tokens[i];
        *token = reading->tokens[i < count ? body->first + i : reading->count];
        if (i >= count || token->kind != TOKEN_NAME || outline_is_field(reading, body->first + i)) {
            continue;
        }
        if (bytes_equal(token->text, names[0])) {
            token->text = LIT("KEYS");
        } else if (bytes_equal(token->text, names[1])) {
            token->text = LIT("ARGV");
        } else if (outline_is_list(token) || find_local(library, token->text) != NULL) {
            return false;
        }
    }
    script->count = count;
    return true;
}

enum key_needs declared_function_needs(const struct registry *registry, struct bytes text,
                                       struct bytes function)
{
    enum key_needs needs = NEEDS_EVERYTHING;
    struct reading *reading = outline_create(registry), *script = outline_create(registry);
    struct library_outline *library = mem_try_alloc(sizeof *library);
    struct body body = { 0 };
    if (reading == NULL || script == NULL || library == NULL ||
        !outline_read_tokens(reading, text)) {
        goto out;
    }
    *library = (struct library_outline){ .reading = reading };
    if (find_body(library, function, &body) && copy_body(library, &body, script)) {
        needs = declared_prove(script);
    }

out:
    mem_free(library);
    outline_destroy(script);
    outline_destroy(reading);
    return needs;
}
