/* Sorted sets: what the commands on them tell, and what is left when there is no memory. */
#include "base/mem.h"
#include "told_fixture.h"

#define TOLD(command, effects, events) CHECK_TOLD(&told, &client, command, effects, events)

static void members_that_change_are_told(void)
{
    begin();
    TOLD("ZADD z 1 a 2 b 3 c", "0 ZADD z 1 a 2 b 3 c;", "0 z=zadd;");
    TOLD("ZADD z 1 a", "", "");
    TOLD("ZADD z NX 9 a", "", "");
    TOLD("ZADD z GT 0 a", "", "");
    TOLD("ZADD z CH 5 a", "0 ZADD z CH 5 a;", "0 z=zadd;");
    TOLD("ZADD z x a", "", "");
    TOLD("ZADD none XX 1 a", "", "");
    TOLD("ZINCRBY z 2 a", "0 ZINCRBY z 2 a;", "0 z=zincr;");
    TOLD("ZADD z INCR 2 a", "0 ZADD z INCR 2 a;", "0 z=zincr;");
    TOLD("ZREM z nope", "", "");
    TOLD("ZREM z a nope", "0 ZREM z a nope;", "0 z=zrem;");
    TOLD("ZREM z b c", "0 ZREM z b c;", "0 z=zrem;0 z=del;");
    end();
}

static void ranges_that_are_removed_are_told(void)
{
    begin();
    RUN_LINE(&client, "ZADD z 1 a 1 b 1 c 1 d 1 e");
    TOLD("ZREMRANGEBYRANK z 7 8", "", "");
    TOLD("ZREMRANGEBYRANK z 0 0", "0 ZREMRANGEBYRANK z 0 0;", "0 z=zremrangebyrank;");
    TOLD("ZREMRANGEBYLEX z [b [b", "0 ZREMRANGEBYLEX z [b [b;", "0 z=zremrangebylex;");
    TOLD("ZREMRANGEBYSCORE z (1 2", "", "");
    TOLD("ZREMRANGEBYSCORE z 1 2", "0 ZREMRANGEBYSCORE z 1 2;", "0 z=zremrangebyscore;0 z=del;");
    end();
}

static void results_that_are_stored_are_told(void)
{
    begin();
    RUN_LINE(&client, "ZADD a 1 x 2 y");
    RUN_LINE(&client, "ZADD b 3 y 4 z");
    TOLD("ZUNIONSTORE to 2 a b", "0 ZUNIONSTORE to 2 a b;", "0 to=zunionstore;");
    TOLD("ZINTERSTORE to 2 a b", "0 ZINTERSTORE to 2 a b;", "0 to=zinterstore;");
    TOLD("ZDIFFSTORE to 2 a b", "0 ZDIFFSTORE to 2 a b;", "0 to=zdiffstore;");
    TOLD("ZRANGESTORE to a 0 0", "0 ZRANGESTORE to a 0 0;", "0 to=zrangestore;");
    TOLD("ZRANGESTORE to a 5 6", "0 ZRANGESTORE to a 5 6;", "0 to=del;");
    TOLD("ZRANGESTORE to a 5 6", "", "");
    RUN_LINE(&client, "SET to text EX 100");
    TOLD("ZUNIONSTORE to 1 a", "0 ZUNIONSTORE to 1 a;", "0 to=zunionstore;");
    CHECK_REPLY(RUN_LINE(&client, "TTL to"), ":-1\r\n");
    end();
}

static void what_is_popped_is_told_as_it_is_done_again(void)
{
    begin();
    RUN_LINE(&client, "ZADD z 1 a 2 b 3 c 4 d 5 e");
    TOLD("ZPOPMIN none", "", "");
    TOLD("ZPOPMIN z 0", "", "");
    TOLD("ZPOPMIN z", "0 ZPOPMIN z;", "0 z=zpopmin;");
    TOLD("ZMPOP 2 none z MAX", "0 ZPOPMAX z 1;", "0 z=zpopmax;");
    TOLD("BZPOPMIN none z 0", "0 ZPOPMIN z;", "0 z=zpopmin;");
    TOLD("ZMPOP 1 z MIN COUNT 9", "0 ZPOPMIN z 2;", "0 z=zpopmin;0 z=del;");
    TOLD("ZMPOP 1 z MIN", "", "");
    end();
}

static void places_are_told(void)
{
    begin();
    TOLD("GEOADD g 13.361389 38.115556 a 15.087269 37.502669 b",
         "0 ZADD g 3479099956230698 a 3479447370796909 b;", "0 g=zadd;");
    TOLD("GEOSEARCHSTORE to g FROMMEMBER a BYRADIUS 1 km",
         "0 GEOSEARCHSTORE to g FROMMEMBER a BYRADIUS 1 km;", "0 to=geosearchstore;");
    TOLD("GEORADIUS g 15 37 200 km STORE to", "0 GEORADIUS g 15 37 200 km STORE to;",
         "0 to=georadiusstore;");
    TOLD("GEORADIUS g 0 0 1 m STORE to", "0 GEORADIUS g 0 0 1 m STORE to;", "0 to=del;");
    end();
}

/* The n-th request for memory fails, for each n until the command succeeds. */
static void without_memory_the_destination_keeps_its_value(void)
{
    enum { TRIES = 2000 };
    begin();
    RUN_LINE(&client, "CONFIG SET zset-max-listpack-entries 3");
    RUN_LINE(&client, "ZADD a 1 p 2 q 3 r 4 s 5 t");
    RUN_LINE(&client, "ZADD b 1 p 2 x 3 y 4 z");
    RUN_LINE(&client, "SET to text");
    long fails = 1;
    for (; fails < TRIES; fails++) {
        mem_fail_after(fails);
        struct bytes got = RUN_LINE(&client, "ZUNIONSTORE to 2 a b");
        mem_fail_after(0);
        if (got.at[0] == ':') {
            break;
        }
        CHECK(got.at[0] == '-');
        CHECK_REPLY(RUN_LINE(&client, "GET to"), "$4\r\ntext\r\n");
    }
    CHECK(fails > 5 && fails < TRIES);
    CHECK_REPLY(RUN_LINE(&client, "ZCARD to"), ":8\r\n");
    end();
}

int main(void)
{
    RUN_TEST(members_that_change_are_told);
    RUN_TEST(ranges_that_are_removed_are_told);
    RUN_TEST(results_that_are_stored_are_told);
    RUN_TEST(what_is_popped_is_told_as_it_is_done_again);
    RUN_TEST(places_are_told);
    RUN_TEST(without_memory_the_destination_keeps_its_value);
    return check_done();
}
