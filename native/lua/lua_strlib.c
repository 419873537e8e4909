/* lstrlib.c, whose pattern matcher can be stopped: its steps are counted as turns of a
 * script are (lua_vm.c), so that the hook is called within a match, too, however long it takes. */
#include "lua/numbers.h"

#include <ldebug.h>
#include <ldo.h>
#include <lstate.h>

/* So many bytes are compared, or looked at one by one, in about the time of a step. */
enum { BYTES_PER_STEP = 16 };

/* Counts steps; returns 0.  The hook may raise an error. */
static ptrdiff_t count_steps(lua_State *lua, ptrdiff_t steps)
{
    if (lua->hookcount > steps) {
        lua->hookcount -= (int)steps;
    } else if (lua->hook != NULL) {
        resethookcount(lua);
        luaD_hook(lua, LUA_HOOKCOUNT, -1);
    }
    return 0;
}

/* The matcher's functions are declared and called by the same words, but for the first one of the
 * last argument, which tells what this is.  All repetition is behind a pattern item's end, "ep";
 * the other ways to match begin once for each place of the text. */
#define match(state, text, pattern) match(state, text, MATCH_##pattern)
#define MATCH_const                 const
#define MATCH_p                     p
#define MATCH_gm                    gm
#define MATCH_ep                    count_steps(ms->L, 1) + ep

/* What looks at many bytes at once, "%b()" and "%1". */
#define REST_STEPS (count_steps(ms->L, (ms->src_end - s) / BYTES_PER_STEP + 1))

#define matchbalance(state, text, pattern) matchbalance(state, text, BALANCE_##pattern)
#define BALANCE_const                      const
#define BALANCE_p                          REST_STEPS + p

#define match_capture(state, text, index) match_capture(state, text, CAPTURE_##index)
#define CAPTURE_int                       int
#define CAPTURE_uchar                     (int)REST_STEPS + uchar

#include <lstrlib.c>
