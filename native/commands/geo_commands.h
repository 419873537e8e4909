/* What the geo commands share: positions and units as arguments. */
#ifndef COMMANDS_GEO_COMMANDS_H
#define COMMANDS_GEO_COMMANDS_H

#include "commands/geo_math.h"
#include "commands/zset_commands.h"

/* longitude latitude, the next two arguments. */
MUST_CHECK enum err geo_read_point(struct call *call, struct geo_point *point);
/* A unit; '*metres' is how long it is.  ERR_REPLIED. */
MUST_CHECK enum err geo_read_unit(struct call *call, struct bytes unit, double *metres);
/* The position of a member; false when it is not there. */
bool geo_find_member(const struct zset *zset, struct bytes member, struct geo_point *point);
/* Replies a distance, or a point. */
void geo_reply_distance(struct reply *reply, double distance);
void geo_reply_point(struct reply *reply, struct geo_point point);

#endif
