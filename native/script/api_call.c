/* redis.call and redis.pcall; see api.h. */
#include "base/mem.h"
#include "base/num.h"
#include "lua/stack.h"
#include "script/api.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/machine.h"
#include "script/run.h"

enum { FIRST_ROOM = 16 };

bool api_take_arguments(lua_State *lua, struct machine *machine, uint32_t count)
{
    if (count == 0) {
        fault_push(lua, LIT("Please specify at least one argument for this redis lib call"));
        return false;
    }
    if (machine->argv_room < count) {
        uint32_t room = count < FIRST_ROOM ? FIRST_ROOM : count * 2;
        struct bytes *argv = mem_try_realloc(machine->argv, room * sizeof *argv);
        if (argv == NULL) {
            fault_push(lua, LIT("out of memory"));
            return false;
        }
        machine->argv = argv;
        machine->argv_room = room;
    }
    uint32_t numbers = 0;
    for (uint32_t i = 0; i < count; i++) {
        int index = (int)i + 1;
        i += (uint32_t)lua_strings(lua, index, &machine->argv[i], count - i);
        if (i == count) {
            break;
        }
        index = (int)i + 1;
        if (lua_type(lua, index) != LUA_TNUMBER) {
            fault_push(lua, LIT("Lua redis lib command arguments must be strings or integers"));
            return false;
        }
        lua_Number number = lua_tonumber(lua, index);
        if (numbers < MACHINE_NUMBERS && convert_is_exact(number)) {
            char *digits = machine->digits[numbers++];
            machine->argv[i] = (struct bytes){ digits, num_format_i64(digits, (int64_t)number) };
        } else {
            convert_push_argument(lua, number);
            lua_replace(lua, index);
            machine->argv[i] = vm_bytes(lua, index);
        }
    }
    return true;
}

/* Leaves the reply of the command, or an error table, on the stack; true for an error. */
static bool run_command(lua_State *lua) UNCHECKED_LOCKING
{
    struct machine *machine = machine_of(lua);
    uint32_t count = (uint32_t)lua_gettop(lua);
    if (machine->run == NULL) {
        fault_push(lua, LIT("redis.call/pcall can only be called inside a script invocation"));
        return true;
    }
    if (!api_take_arguments(lua, machine, count)) {
        return true;
    }
    reply_clear(&machine->reply);
    enum err err = inner_run(&machine->inner, machine->argv, count, &machine->reply);
    if (err != OK) {
        lua_settop(lua, 0);
        fault_push_refusal(lua, err);
        if (err == ERR_SCRIPT_UNDECLARED) {
            return lua_error(lua) != 0; /* It ends, whoever called. */
        }
        return true;
    }
    lua_settop(lua, 0);
    return convert_from_reply(lua, &machine->reply);
}

int api_call(lua_State *lua)
{
    bool failed = run_command(lua);
    run_note_command(lua, machine_of(lua));
    return failed ? lua_error(lua) : 1;
}

int api_pcall(lua_State *lua)
{
    (void)run_command(lua);
    run_note_command(lua, machine_of(lua));
    return 1;
}
