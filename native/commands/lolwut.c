/* LOLWUT: rain on a pond.  A few drops have fallen, and their rings cross; see lolwut.h. */
#include "commands/lolwut.h"

#include "exec/engine.h"

enum { COLUMNS = 48, ROWS = 14, DROPS = 4, RING = 5 };

struct drop {
    int x, y, reach;
};

/* The whole part of a square root. */
static int root(int square)
{
    int side = 0;
    while ((side + 1) * (side + 1) <= square) {
        side++;
    }
    return side;
}

/* How high the water stands at a place. */
static int height_at(const struct drop *drops, int x, int y)
{
    int height = 0;
    for (int i = 0; i < DROPS; i++) {
        int across = x - drops[i].x;
        int down = 2 * (y - drops[i].y); /* A character is twice as high as wide. */
        int distance = root(across * across + down * down);
        if (distance <= drops[i].reach) {
            height += distance == 0 ? 3 : distance % RING == 0 ? 2 : 0;
        }
    }
    return height;
}

void lolwut_draw(struct random *dice, struct buf *out)
{
    static const char water[] = " .oO@";
    struct drop drops[DROPS];

    for (int i = 0; i < DROPS; i++) {
        drops[i].x = (int)random_below(dice, COLUMNS);
        drops[i].y = (int)random_below(dice, ROWS);
        drops[i].reach = RING * (1 + (int)random_below(dice, 4));
    }
    for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
            int height = height_at(drops, x, y);
            buf_append_char(out, water[height > 4 ? 4 : height]);
        }
        buf_append_char(out, '\n');
    }
    buf_append(out, LIT("\nRain on a pond. Redis ver. " REDIS_COMPAT_VERSION "\n"));
}
