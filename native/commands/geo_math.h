/* The geometry of the geo commands: positions as sorted-set scores of 52 bits, distances on the
 * sphere, and which ranges of scores cover an area. */
#ifndef COMMANDS_GEO_MATH_H
#define COMMANDS_GEO_MATH_H

#include <stdbool.h>
#include <stdint.h>

#define GEO_LONGITUDE_MAX 180.0
#define GEO_LATITUDE_MAX  85.05112878

struct geo_point {
    double longitude, latitude; /* degrees */
};

/* What is searched: a circle or a box around a point; metres. */
struct geo_area {
    struct geo_point center;
    bool box;
    double radius;
    double width, height;
};

/* Scores from 'min' on and below 'max'. */
struct geo_cell {
    uint64_t min, max;
};

enum { GEO_CELLS = 9 };

/* 26 bits of each coordinate, interleaved. */
uint64_t geo_encode(struct geo_point point);
/* The middle of the cell that a score stands for. */
struct geo_point geo_decode(double score);
/* The 52 bits with latitudes from -90 to 90, as geohash strings have them. */
uint64_t geo_encode_standard(struct geo_point point);

/* Metres. */
double geo_distance(struct geo_point a, struct geo_point b);
/* Whether a point is in an area, and how far from its center. */
bool geo_in_area(const struct geo_area *area, struct geo_point point, double *distance);

/* The cells that cover an area, its center's first; returns how many. */
unsigned geo_cover(const struct geo_area *area, struct geo_cell cells[GEO_CELLS]);

#endif
