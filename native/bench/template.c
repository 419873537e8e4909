/* Requests from templates.  A template is taken apart once, into runs of constant bytes and
 * places to fill; writing a request copies the runs and fills the places. */
#include "bench/template.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"

/* So many different places of the payload does a value start at. */
enum { PAYLOAD_SPREAD = 4096 };

static const struct {
    const char *name;
    const char *prefix; /* written before the digits */
    enum template_kind kind;
} PLACEHOLDERS[] = {
    { "__key__", "key:", TEMPLATE_ID },           { "__id__", "", TEMPLATE_ID },
    { "__next_key__", "key:", TEMPLATE_NEXT_ID }, { "__new_key__", "key:", TEMPLATE_NEW_ID },
    { "__rand_int__", "", TEMPLATE_RANDOM },
};
enum { PLACEHOLDER_COUNT = sizeof PLACEHOLDERS / sizeof PLACEHOLDERS[0] };

static bool refuse(struct rln_load_error *error, const char *text)
{
    snprintf(error->text, sizeof error->text, "%s", text);
    return false;
}

/* ---- taking apart ------------------------------------------------------------------ */

static void add_text(struct template *template, struct bytes text)
{
    size_t count = template->piece_count;
    if (count == 0 || template->pieces[count - 1].kind != TEMPLATE_TEXT) {
        template->pieces[count++] = (struct template_piece){ TEMPLATE_TEXT, template->text.len, 0 };
        template->piece_count = count;
    }
    buf_append(&template->text, text);
    template->pieces[count - 1].len += text.len;
    template->longest += text.len;
}

/* The placeholder that 'at' begins with, or PLACEHOLDER_COUNT. */
static size_t placeholder_at(const char *at)
{
    size_t i = 0;
    while (i < PLACEHOLDER_COUNT &&
           strncmp(at, PLACEHOLDERS[i].name, strlen(PLACEHOLDERS[i].name)) != 0) {
        i++;
    }
    return i;
}

/* The word as it will be sent: its length, and with 'template' its pieces. */
static size_t take_word_apart(const char *word, struct template *template)
{
    size_t len = 0;
    for (const char *at = word; *at != '\0';) {
        size_t found = placeholder_at(at);
        size_t text_len = found < PLACEHOLDER_COUNT ? strlen(PLACEHOLDERS[found].prefix) : 1;
        const char *text = found < PLACEHOLDER_COUNT ? PLACEHOLDERS[found].prefix : at;
        size_t digits = found < PLACEHOLDER_COUNT ? TEMPLATE_ID_DIGITS : 0;
        if (template != NULL && text_len > 0) {
            add_text(template, (struct bytes){ text, text_len });
        }
        if (template != NULL && digits > 0) {
            template->pieces[template->piece_count++].kind = PLACEHOLDERS[found].kind;
            template->longest += digits;
        }
        len += text_len + digits;
        at += found < PLACEHOLDER_COUNT ? strlen(PLACEHOLDERS[found].name) : 1;
    }
    return len;
}

static void add_number_line(struct template *template, char mark, size_t number)
{
    char line[NUM_INT_ROOM + 3] = { mark };
    size_t len = 1 + num_format_u64(line + 1, number);
    line[len] = '\r';
    line[len + 1] = '\n';
    add_text(template, (struct bytes){ line, len + 2 });
}

static void add_value(struct template *template, size_t largest)
{
    template->pieces[template->piece_count++].kind = TEMPLATE_VALUE;
    template->longest += NUM_INT_ROOM + 3 + largest + 2;
}

static bool take_apart(const struct rln_load_command *command, size_t largest,
                       struct template *template)
{
    size_t places = 2;
    for (size_t i = 0; i < command->word_count; i++) {
        places += 4 + 2 * strlen(command->words[i]);
    }
    template->pieces = mem_try_alloc(places * sizeof *template->pieces);
    if (template->pieces == NULL) {
        return false;
    }
    memset(template->pieces, 0, places * sizeof *template->pieces);
    template->as_line = command->as_line;
    template->replies_value = command->replies_value;
    if (!command->as_line) {
        add_number_line(template, '*', command->word_count);
    }
    for (size_t i = 0; i < command->word_count; i++) {
        const char *word = command->words[i];
        bool is_value = strcmp(word, "__value__") == 0;
        if (command->as_line && i > 0) {
            add_text(template, LIT(" "));
        } else if (!command->as_line && !is_value) {
            add_number_line(template, '$', take_word_apart(word, NULL));
        }
        if (is_value) {
            add_value(template, largest);
        } else {
            take_word_apart(word, template);
        }
        if (!command->as_line && !is_value) {
            add_text(template, LIT("\r\n"));
        }
    }
    if (command->as_line) {
        add_text(template, LIT("\r\n"));
    }
    return true;
}

/* ---- setting up -------------------------------------------------------------------- */

static bool init_sizes(struct workload *workload, const struct rln_load_options *options,
                       uint64_t seed, struct rln_load_error *error)
{
    static const struct rln_load_size SMALL = { 32, 32, 1 };
    size_t count = options->size_count > 0 ? options->size_count : 1;
    const struct rln_load_size *sizes = options->size_count > 0 ? options->sizes : &SMALL;
    double sum = 0, so_far = 0;
    workload->sizes = mem_alloc(count * sizeof *sizes);
    workload->size_up_to = mem_alloc(count * sizeof *workload->size_up_to);
    memcpy(workload->sizes, sizes, count * sizeof *sizes);
    workload->size_count = count;
    workload->smallest = sizes[0].min;
    for (size_t i = 0; i < count; i++) {
        if (sizes[i].min > sizes[i].max || sizes[i].max > RLN_LOAD_VALUE_MAX ||
            !(sizes[i].weight > 0)) {
            return refuse(error, "a value size needs min <= max <= 16 MiB and a weight above 0");
        }
        sum += sizes[i].weight;
        workload->smallest = sizes[i].min < workload->smallest ? sizes[i].min : workload->smallest;
        workload->largest = sizes[i].max > workload->largest ? sizes[i].max : workload->largest;
    }
    for (size_t i = 0; i < count; i++) {
        so_far += sizes[i].weight / sum;
        workload->size_up_to[i] = so_far;
    }
    workload->payload_len = (size_t)workload->largest + PAYLOAD_SPREAD;
    workload->payload = mem_try_alloc(workload->payload_len);
    if (workload->payload == NULL) {
        return refuse(error, "out of memory");
    }
    struct random dice;
    random_init(&dice, seed ^ 0x7061796c);
    for (size_t i = 0; i < workload->payload_len; i++) {
        workload->payload[i] = (char)('a' + random_below(&dice, 26));
    }
    return true;
}

bool workload_init(struct workload *workload, const struct rln_load_options *options, uint64_t seed,
                   struct rln_load_error *error)
{
    double sum = 0, so_far = 0;
    memset(workload, 0, sizeof *workload);
    if (options->template_count == 0 || options->template_count > 64 || options->key_count == 0 ||
        options->key_count >= UINT64_C(100000000000)) {
        return refuse(error, "a load needs 1 to 64 commands and 1 to 10^11 keys");
    }
    for (size_t i = 0; i < options->template_count; i++) {
        if (options->templates[i].word_count == 0 || !(options->templates[i].weight > 0)) {
            return refuse(error, "a command needs words and a weight above 0");
        }
        sum += options->templates[i].weight;
    }
    if (!init_sizes(workload, options, seed, error)) {
        return false;
    }
    workload->templates = mem_zalloc(options->template_count * sizeof *workload->templates);
    workload->template_count = options->template_count;
    for (size_t i = 0; i < options->template_count; i++) {
        so_far += options->templates[i].weight / sum;
        workload->templates[i].up_to = so_far;
        if (!take_apart(&options->templates[i], workload->largest, &workload->templates[i])) {
            return refuse(error, "out of memory");
        }
    }
    key_chooser_init(&workload->keys, options->keys, options->key_count, options->zipf_theta);
    return true;
}

void workload_release(struct workload *workload)
{
    for (size_t i = 0; i < workload->template_count; i++) {
        mem_free(workload->templates[i].pieces);
        buf_release(&workload->templates[i].text);
    }
    mem_free(workload->templates);
    mem_free(workload->sizes);
    mem_free(workload->size_up_to);
    mem_free(workload->payload);
    memset(workload, 0, sizeof *workload);
}

/* ---- writing ----------------------------------------------------------------------- */

static double fraction(struct random *dice)
{
    return (double)(random_next(dice) >> 11) * 0x1p-53;
}

size_t workload_choose(const struct workload *workload, struct random *dice)
{
    size_t last = workload->template_count - 1;
    if (last == 0) {
        return 0;
    }
    double at = fraction(dice);
    size_t i = 0;
    while (i < last && at >= workload->templates[i].up_to) {
        i++;
    }
    return i;
}

static uint32_t choose_size(const struct workload *workload, struct random *dice)
{
    size_t i = 0;
    if (workload->size_count > 1) {
        double at = fraction(dice);
        while (i + 1 < workload->size_count && at >= workload->size_up_to[i]) {
            i++;
        }
    }
    const struct rln_load_size *size = &workload->sizes[i];
    return size->min == size->max
               ? size->min
               : size->min + (uint32_t)random_below(dice, (uint64_t)size->max - size->min + 1);
}

bool workload_has_size(const struct workload *workload, int64_t len)
{
    for (size_t i = 0; i < workload->size_count; i++) {
        if (len >= workload->sizes[i].min && len <= workload->sizes[i].max) {
            return true;
        }
    }
    return false;
}

static char *write_digits(char *to, uint64_t id)
{
    for (size_t i = TEMPLATE_ID_DIGITS; i-- > 0; id /= 10) {
        to[i] = (char)('0' + id % 10);
    }
    return to + TEMPLATE_ID_DIGITS;
}

static char *write_value(const struct workload *workload, bool as_line, struct random *dice,
                         char *to)
{
    uint32_t len = choose_size(workload, dice);
    if (!as_line) {
        *to++ = '$';
        to += num_format_u64(to, len);
        *to++ = '\r';
        *to++ = '\n';
    }
    memcpy(to, workload->payload + random_below(dice, PAYLOAD_SPREAD), len);
    to += len;
    if (!as_line) {
        *to++ = '\r';
        *to++ = '\n';
    }
    return to;
}

bool workload_write(struct workload *workload, size_t index, struct key_walk *walk, struct buf *out)
{
    const struct template *template = &workload->templates[index];
    if (!buf_reserve(out, template->longest)) {
        return false;
    }
    char *to = out->at + out->len;
    uint64_t id = 0;
    for (size_t i = 0; i < template->piece_count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        switch (piece->kind) {
        case TEMPLATE_TEXT:
            memcpy(to, template->text.at + piece->from, piece->len);
            to += piece->len;
            break;
        case TEMPLATE_ID:
            id = key_choose(&workload->keys, walk);
            to = write_digits(to, id);
            break;
        case TEMPLATE_NEXT_ID:
            id = (id + 1) % workload->keys.count;
            to = write_digits(to, id);
            break;
        case TEMPLATE_NEW_ID:
            to = write_digits(to, key_create(&workload->keys));
            break;
        case TEMPLATE_RANDOM:
            to = write_digits(to, random_below(&walk->dice, workload->keys.count));
            break;
        case TEMPLATE_VALUE:
            to = write_value(workload, template->as_line, &walk->dice, to);
            break;
        }
    }
    out->len = (size_t)(to - out->at);
    return true;
}
