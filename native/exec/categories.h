/* The names of ACL categories. */
#ifndef EXEC_CATEGORIES_H
#define EXEC_CATEGORIES_H

#include "exec/command.h"

/* A bit and its name. */
struct bit_name {
    uint32_t bit;
    const char *name;
};

enum { CATEGORY_COUNT = 21 };
/* With the '@', in Redis's order. */
extern const struct bit_name category_names[CATEGORY_COUNT];

/* The bit of a category's name without '@', or 0. */
uint32_t category_find(struct bytes name);

#endif
