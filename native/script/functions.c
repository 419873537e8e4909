/* The libraries of a server; see functions.h. */
#include "script/functions.h"

#include "base/mem.h"

/* ---- Lists ---------------------------------------------------------------------------------- */

static struct library **find_library(struct library **link, struct bytes name)
{
    while (*link != NULL && !bytes_equal(bytes_of((*link)->name), name)) {
        link = &(*link)->next;
    }
    return link;
}

static const struct function *find_function(const struct library *first, struct bytes name)
{
    for (const struct library *library = first; library != NULL; library = library->next) {
        for (uint32_t i = 0; i < library->count; i++) {
            if (bytes_equal(bytes_of(library->functions[i].name), name)) {
                return &library->functions[i];
            }
        }
    }
    return NULL;
}

/* A function of 'library' that one of the list's has the name of, or NULL. */
static const struct function *find_collision(const struct library *first,
                                             const struct library *library)
{
    const struct function *found = NULL;
    for (uint32_t i = 0; i < library->count && found == NULL; i++) {
        found = find_function(first, bytes_of(library->functions[i].name));
    }
    return found;
}

static void append(struct library_list *list, struct library *library)
{
    struct library **link = &list->first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = library;
    library->next = NULL;
    list->libraries++;
    list->functions += library->count;
}

/* Takes a library out of the list: it is the caller's. */
static struct library *take(struct library_list *list, struct library **link)
{
    struct library *library = *link;
    *link = library->next;
    library->next = NULL;
    list->libraries--;
    list->functions -= library->count;
    return library;
}

void library_list_release(struct library_list *list)
{
    while (list->first != NULL) {
        library_unref(take(list, &list->first));
    }
}

bool library_list_add(struct library_list *list, struct library *library, struct buf *error)
{
    if (*find_library(&list->first, bytes_of(library->name)) != NULL) {
        buf_printf(error, "Library '%s' already exists", library->name);
        return false;
    }
    const struct function *other = find_collision(list->first, library);
    if (other != NULL) {
        buf_printf(error, "Function %s already exists", other->name);
        return false;
    }
    append(list, library);
    return true;
}

/* ---- The server's --------------------------------------------------------------------------- */

static void note_change(struct scripting *scripting)
{
    atomic_store_explicit(&scripting->library_count, scripting->libraries.libraries,
                          memory_order_relaxed);
    atomic_store_explicit(&scripting->function_count, scripting->libraries.functions,
                          memory_order_relaxed);
    atomic_fetch_add_explicit(&scripting->functions_era, 1, memory_order_release);
}

/* Moves the libraries that 'list' has others of the same name for out of the server's; false
 * when that is not allowed, or two functions would have one name: then all are back. */
static bool make_way(struct library_list *there, const struct library_list *list, bool replace,
                     struct library_list *replaced, struct buf *error)
{
    bool fine = true;
    for (struct library *library = list->first; library != NULL && fine; library = library->next) {
        struct library **link = find_library(&there->first, bytes_of(library->name));
        if (*link != NULL && !replace) {
            buf_printf(error, "Library %s already exists", library->name);
            fine = false;
        } else if (*link != NULL) {
            append(replaced, take(there, link));
        }
    }
    for (struct library *library = list->first; library != NULL && fine; library = library->next) {
        const struct function *other = find_collision(there->first, library);
        if (other != NULL) {
            buf_printf(error, "Function %s already exists", other->name);
            fine = false;
        }
    }
    while (!fine && replaced->first != NULL) {
        append(there, take(replaced, &replaced->first));
    }
    return fine;
}

bool functions_join(struct scripting *scripting, struct library_list *list,
                    enum functions_collision collision, struct buf *error)
{
    struct library_list replaced = { 0 };
    mutex_lock(&scripting->mutex);
    if (collision == COLLISION_FLUSHES) {
        replaced = scripting->libraries;
        scripting->libraries = (struct library_list){ 0 };
    }
    bool fine =
        make_way(&scripting->libraries, list, collision != COLLISION_FAILS, &replaced, error);
    while (fine && list->first != NULL) {
        append(&scripting->libraries, take(list, &list->first));
    }
    if (fine) {
        note_change(scripting);
    }
    mutex_unlock(&scripting->mutex);
    library_list_release(&replaced);
    return fine;
}

bool functions_delete(struct scripting *scripting, struct bytes name)
{
    struct library *library = NULL;
    mutex_lock(&scripting->mutex);
    struct library **link = find_library(&scripting->libraries.first, name);
    if (*link != NULL) {
        library = take(&scripting->libraries, link);
        note_change(scripting);
    }
    mutex_unlock(&scripting->mutex);
    library_unref(library);
    return library != NULL;
}

void functions_flush(struct scripting *scripting)
{
    mutex_lock(&scripting->mutex);
    struct library_list all = scripting->libraries;
    scripting->libraries = (struct library_list){ 0 };
    note_change(scripting);
    mutex_unlock(&scripting->mutex);
    library_list_release(&all);
}

bool functions_find(struct scripting *scripting, struct bytes name, uint32_t *flags,
                    enum key_needs *needs)
{
    mutex_lock(&scripting->mutex);
    const struct function *found = find_function(scripting->libraries.first, name);
    if (found != NULL) {
        *flags = found->flags;
        *needs = found->needs;
    }
    mutex_unlock(&scripting->mutex);
    return found != NULL;
}

size_t functions_memory(const struct scripting *scripting)
{
    size_t size = 0;
    for (const struct library *at = scripting->libraries.first; at != NULL; at = at->next) {
        size += sizeof *at + strlen(at->name) + 1 + at->code.cap + at->text.cap +
                at->room * sizeof *at->functions;
        for (uint32_t i = 0; i < at->count; i++) {
            const struct function *function = &at->functions[i];
            size += strlen(function->name) + 1;
            size += function->description != NULL ? strlen(function->description) + 1 : 0;
        }
    }
    return size;
}
