/* SHA-256: the vectors of FIPS 180-4's examples, and that pieces make no difference. */
#include "base/sha256.h"
#include "check.h"

static void check_digest(struct bytes bytes, const char *expected)
{
    char hex[SHA256_HEX_LEN];
    sha256_hex(bytes, hex);
    CHECK_BYTES(((struct bytes){ hex, sizeof(hex) }), bytes_of(expected));
}

static void the_published_vectors_come_out(void)
{
    check_digest(LIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_digest(LIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_digest(LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_digest(LIT("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
                 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    static char million[1000000];
    memset(million, 'a', sizeof(million));
    check_digest((struct bytes){ million, sizeof(million) },
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_give_the_digest_of_the_whole(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 2000; round++) {
        char text[300];
        size_t len = check_random_below(&dice, sizeof(text) + 1);
        for (size_t i = 0; i < len; i++) {
            text[i] = (char)check_random(&dice);
        }
        struct sha256 whole;
        struct sha256 pieces;
        unsigned char expected[SHA256_LEN];
        unsigned char got[SHA256_LEN];
        sha256_init(&whole);
        sha256_update(&whole, (struct bytes){ text, len });
        sha256_final(&whole, expected);
        sha256_init(&pieces);
        for (size_t at = 0; at < len;) {
            size_t part = check_random_below(&dice, len - at) + 1;
            sha256_update(&pieces, (struct bytes){ text + at, part });
            at += part;
        }
        sha256_final(&pieces, got);
        CHECK(sha256_equal(expected, got));
        got[check_random_below(&dice, SHA256_LEN)] ^= 1;
        CHECK(!sha256_equal(expected, got));
    }
}

int main(void)
{
    RUN_TEST(the_published_vectors_come_out);
    RUN_TEST(pieces_give_the_digest_of_the_whole);
    return check_done();
}
