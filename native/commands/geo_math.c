/* Geometry on the sphere and its cells; see geo_math.h.
 *
 * A cell of 'step' bits for each coordinate is one of 4^step equal parts of the map, and its
 * number, shifted to 52 bits, is the lowest score in it: so a cell is a range of scores. */
#include "commands/geo_math.h"

#include <math.h>
#include <stddef.h>

enum { STEP_MAX = 26 };

#define EARTH_RADIUS 6372797.560856 /* metres */
#define MERCATOR_MAX 20037726.37    /* half of the map's width in metres */
#define DEGREE       (M_PI / 180.0)

/* A cell by its place on the map. */
struct cell {
    uint32_t x, y;
    unsigned step; /* 0: none */
};

struct box {
    double min_longitude, max_longitude, min_latitude, max_latitude;
};

/* ---- Cells ---------------------------------------------------------------------------------------- */

/* Puts a zero bit before each bit. */
static uint64_t spread(uint32_t value)
{
    uint64_t bits = value;
    bits = (bits | bits << 16) & UINT64_C(0x0000ffff0000ffff);
    bits = (bits | bits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
    return (bits | bits << 1) & UINT64_C(0x5555555555555555);
}

static uint32_t gather(uint64_t bits)
{
    bits &= UINT64_C(0x5555555555555555);
    bits = (bits | bits >> 1) & UINT64_C(0x3333333333333333);
    bits = (bits | bits >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(bits | bits >> 16);
}

static struct cell cell_of(struct geo_point point, double latitude_max, unsigned step)
{
    double x = (point.longitude + GEO_LONGITUDE_MAX) / (2 * GEO_LONGITUDE_MAX);
    double y = (point.latitude + latitude_max) / (2 * latitude_max);
    double cells = (double)(UINT64_C(1) << step);
    return (struct cell){ (uint32_t)(x * cells), (uint32_t)(y * cells), step };
}

static uint64_t cell_bits(struct cell cell)
{
    return spread(cell.x) << 1 | spread(cell.y);
}

static struct box cell_box(struct cell cell)
{
    double cells = (double)(UINT64_C(1) << cell.step);
    const double wide = 2 * GEO_LONGITUDE_MAX, high = 2 * GEO_LATITUDE_MAX;
    return (struct box){
        .min_longitude = -GEO_LONGITUDE_MAX + (cell.x * 1.0 / cells) * wide,
        .max_longitude = -GEO_LONGITUDE_MAX + ((cell.x + 1) * 1.0 / cells) * wide,
        .min_latitude = -GEO_LATITUDE_MAX + (cell.y * 1.0 / cells) * high,
        .max_latitude = -GEO_LATITUDE_MAX + ((cell.y + 1) * 1.0 / cells) * high,
    };
}

/* The neighbour so many cells east and north, round the edges of the map.  A cell of the very
 * last meridian is one too far east; it stays there on the way north or south. */
static struct cell cell_beside(struct cell cell, int east, int north)
{
    uint32_t mask = (UINT32_C(1) << cell.step) - 1;
    if (east != 0) {
        cell.x = (cell.x + (uint32_t)east) & mask;
    }
    if (north != 0) {
        cell.y = (cell.y + (uint32_t)north) & mask;
    }
    return cell;
}

uint64_t geo_encode(struct geo_point point)
{
    return cell_bits(cell_of(point, GEO_LATITUDE_MAX, STEP_MAX));
}

uint64_t geo_encode_standard(struct geo_point point)
{
    return cell_bits(cell_of(point, 90, STEP_MAX));
}

static double clamp(double value, double max)
{
    return value > max ? max : value < -max ? -max : value;
}

/* A score may be anything; what 64 bits do not hold becomes what processors make of it. */
static uint64_t score_bits(double score)
{
    if (score >= 0) {
        return score < 0x1p64 ? (uint64_t)score : 0;
    }
    return score > -0x1p63 ? (uint64_t)(int64_t)score : UINT64_C(1) << 63;
}

struct geo_point geo_decode(double score)
{
    uint64_t bits = score_bits(score);
    struct box box = cell_box((struct cell){ gather(bits >> 1), gather(bits), STEP_MAX });
    return (struct geo_point){
        clamp((box.min_longitude + box.max_longitude) / 2, GEO_LONGITUDE_MAX),
        clamp((box.min_latitude + box.max_latitude) / 2, GEO_LATITUDE_MAX),
    };
}

/* ---- Distances ------------------------------------------------------------------------------------- */

static double latitude_distance(double a, double b)
{
    return EARTH_RADIUS * fabs(b * DEGREE - a * DEGREE);
}

/* By the haversine formula. */
double geo_distance(struct geo_point a, struct geo_point b)
{
    double v = sin((b.longitude * DEGREE - a.longitude * DEGREE) / 2);
    if (v == 0) {
        return latitude_distance(a.latitude, b.latitude);
    }
    double a_latitude = a.latitude * DEGREE, b_latitude = b.latitude * DEGREE;
    double u = sin((b_latitude - a_latitude) / 2);
    double h = u * u + cos(a_latitude) * cos(b_latitude) * v * v;
    return 2.0 * EARTH_RADIUS * asin(sqrt(h));
}

bool geo_in_area(const struct geo_area *area, struct geo_point point, double *distance)
{
    if (area->box) {
        struct geo_point beside = { area->center.longitude, point.latitude };
        if (latitude_distance(point.latitude, area->center.latitude) > area->height / 2 ||
            geo_distance(point, beside) > area->width / 2) {
            return false;
        }
    }
    *distance = geo_distance(area->center, point);
    return area->box || *distance <= area->radius;
}

/* ---- Covering an area -------------------------------------------------------------------------------- */

/* The smallest box on the map around an area. */
static struct box area_box(const struct geo_area *area)
{
    double height = area->box ? area->height / 2 : area->radius;
    double width = area->box ? area->width / 2 : area->radius;
    double longitude = area->center.longitude, latitude = area->center.latitude;
    double high = height / EARTH_RADIUS / DEGREE;
    double top = width / EARTH_RADIUS / cos((latitude + high) * DEGREE) / DEGREE;
    double bottom = width / EARTH_RADIUS / cos((latitude - high) * DEGREE) / DEGREE;
    double wide = latitude < 0 ? bottom : top;
    return (struct box){ longitude - wide, longitude + wide, latitude - high, latitude + high };
}

/* How many bits make cells of about the size of the area. */
static unsigned estimate_step(const struct geo_area *area)
{
    double metres = area->radius, latitude = fabs(area->center.latitude);
    if (area->box) {
        metres =
            sqrt((area->width / 2) * (area->width / 2) + (area->height / 2) * (area->height / 2));
    }
    if (metres == 0) {
        return STEP_MAX;
    }
    int step = 1;
    while (metres < MERCATOR_MAX) {
        metres *= 2;
        step++;
    }
    step -= 2 + (latitude > 66) + (latitude > 80);
    return step < 1 ? 1 : step > STEP_MAX ? STEP_MAX : (unsigned)step;
}

/* Whether the cells around 'cell' do not reach as far as the area. */
static bool too_small(struct cell cell, const struct geo_area *area)
{
    struct box north = cell_box(cell_beside(cell, 0, 1)),
               south = cell_box(cell_beside(cell, 0, -1));
    struct box east = cell_box(cell_beside(cell, 1, 0)), west = cell_box(cell_beside(cell, -1, 0));
    struct box around = area_box(area);
    return north.max_latitude < around.max_latitude || south.min_latitude > around.min_latitude ||
           east.max_longitude < around.max_longitude || west.min_longitude > around.min_longitude;
}

/* The order in which the cells are searched. */
static const struct {
    int8_t east, north;
} directions[GEO_CELLS] = {
    { 0, 0 }, { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 }, { 1, 1 }, { -1, 1 }, { 1, -1 }, { -1, -1 },
};

unsigned geo_cover(const struct geo_area *area, struct geo_cell cells[GEO_CELLS])
{
    unsigned step = estimate_step(area), count = 0;
    struct cell center = cell_of(area->center, GEO_LATITUDE_MAX, step);
    if (step > 1 && too_small(center, area)) {
        step--;
        center = cell_of(area->center, GEO_LATITUDE_MAX, step);
    }
    struct box inner = cell_box(center), around = area_box(area);
    bool cut = step >= 2;
    bool no_south = cut && inner.min_latitude < around.min_latitude;
    bool no_north = cut && inner.max_latitude > around.max_latitude;
    bool no_west = cut && inner.min_longitude < around.min_longitude;
    bool no_east = cut && inner.max_longitude > around.max_longitude;
    size_t last = 0;
    for (size_t i = 0; i < GEO_CELLS; i++) {
        int east = directions[i].east, north = directions[i].north;
        if ((north < 0 && no_south) || (north > 0 && no_north) || (east < 0 && no_west) ||
            (east > 0 && no_east)) {
            continue;
        }
        uint64_t bits = cell_bits(cell_beside(center, east, north));
        unsigned shift = 2 * (STEP_MAX - step);
        struct geo_cell cell = { bits << shift, (bits + 1) << shift };
        /* In a very large area a neighbour may be the same cell from the other side. */
        if (last > 0 && cell.min == cells[count - 1].min) {
            continue;
        }
        cells[count++] = cell;
        last = i;
    }
    return count;
}
