/* Encoding one element of a listpack; see listpack_element.h. */
#include "store/listpack_element.h"

static void finish(struct listpack_element *element, unsigned head_len, struct bytes text)
{
    element->head_len = (uint8_t)head_len;
    element->text = text;
    element->back_len = (uint8_t)listpack_back_size(head_len + text.len);
    element->size = head_len + text.len + element->back_len;
}

void listpack_encode_integer(struct listpack_element *element, int64_t value)
{
    unsigned char *head = element->head;
    uint64_t bits = (uint64_t)value;
    unsigned bytes;
    if (value >= 0 && value <= 127) {
        head[0] = (unsigned char)value;
        finish(element, 1, (struct bytes){ NULL, 0 });
        return;
    }
    if (value >= -4096 && value <= 4095) {
        head[0] = (unsigned char)(0xc0 | ((bits >> 8) & 0x1f));
        head[1] = (unsigned char)bits;
        finish(element, 2, (struct bytes){ NULL, 0 });
        return;
    }
    if (value >= INT16_MIN && value <= INT16_MAX) {
        head[0] = 0xf1;
        bytes = 2;
    } else if (value >= -8388608 && value <= 8388607) {
        head[0] = 0xf2;
        bytes = 3;
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        head[0] = 0xf3;
        bytes = 4;
    } else {
        head[0] = 0xf4;
        bytes = 8;
    }
    for (unsigned i = 0; i < bytes; i++) {
        head[1 + i] = (unsigned char)(bits >> (8 * i));
    }
    finish(element, 1 + bytes, (struct bytes){ NULL, 0 });
}

void listpack_encode(struct listpack_element *element, struct bytes text)
{
    int64_t value;
    if (listpack_is_integer(text, &value)) {
        listpack_encode_integer(element, value);
        return;
    }
    unsigned char *head = element->head;
    if (text.len < 64) {
        head[0] = (unsigned char)(0x80 | text.len);
        finish(element, 1, text);
    } else if (text.len < 4096) {
        head[0] = (unsigned char)(0xe0 | (text.len >> 8));
        head[1] = (unsigned char)text.len;
        finish(element, 2, text);
    } else {
        head[0] = 0xf0;
        listpack_store32(head + 1, (uint32_t)text.len);
        finish(element, 5, text);
    }
}

void listpack_write(const struct listpack_element *element, unsigned char *out)
{
    for (unsigned i = 0; i < element->head_len; i++) {
        out[i] = element->head[i];
    }
    out += element->head_len;
    if (element->text.len > 0) {
        memcpy(out, element->text.at, element->text.len);
        out += element->text.len;
    }
    size_t len = element->head_len + element->text.len;
    unsigned back = element->back_len;
    out[0] = (unsigned char)(len >> (7 * (back - 1)));
    for (unsigned i = 1; i < back; i++) {
        out[i] = (unsigned char)(0x80 | ((len >> (7 * (back - 1 - i))) & 0x7f));
    }
}

uint32_t listpack_skip(const unsigned char *at)
{
    static const uint8_t integers[5] = { 0, 3, 4, 5, 9 }; /* by encoding, from 0xf0 on */
    uint32_t len;
    if (at[0] < 0x80) {
        return 2;
    }
    if (at[0] < 0xc0) {
        return (at[0] & 0x3fu) + 2;
    }
    if (at[0] < 0xe0) {
        return 3;
    }
    if (at[0] < 0xf0) {
        len = 2 + ((at[0] & 0x0fu) << 8 | at[1]);
    } else if (at[0] == 0xf0) {
        len = 5 + listpack_load32(at + 1);
    } else {
        len = integers[at[0] - 0xf0];
    }
    return len + listpack_back_size(len);
}
