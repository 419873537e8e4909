/* A plain array of strings, against which lists and listpacks are held. */
#ifndef TEST_LIST_MODEL_H
#define TEST_LIST_MODEL_H

#include "base/bytes.h"
#include "base/mem.h"

enum { MODEL_MAX = 900 };

/* Owns its texts; empty when all is zero. */
struct model {
    struct bytes at[MODEL_MAX];
    size_t count;
};

/* There is room for it; the text is copied. */
static inline void model_insert(struct model *model, size_t index, struct bytes text)
{
    memmove(&model->at[index + 1], &model->at[index], (model->count - index) * sizeof model->at[0]);
    model->at[index] = (struct bytes){ mem_strndup(text.at, text.len), text.len };
    model->count++;
}

static inline void model_delete(struct model *model, size_t index, size_t count)
{
    for (size_t i = index; i < index + count; i++) {
        mem_free((char *)(uintptr_t)model->at[i].at);
    }
    memmove(&model->at[index], &model->at[index + count],
            (model->count - index - count) * sizeof model->at[0]);
    model->count -= count;
}

#endif
