/* Which scripts are known to touch their KEYS only: by rules, of the packages that are most in use,
 * and at random: whatever the text, one that is taken for such never names another key. */
#include <stdio.h>
#include <stdlib.h>

#include "run.h"
#include "script/declared.h"
#include "script/machine.h"
#include "script/scripts.h"
#include "script/source.h"

static struct run_server server;
static struct run_client client;

static enum key_needs needs_of(struct bytes text)
{
    struct buf rewritten = { 0 };
    enum key_needs needs = NEEDS_EVERYTHING;
    if (source_rewrite(text, LIT("user_script"), &rewritten) == SOURCE_FINE) {
        needs = declared_needs(server.engine.registry, buf_bytes(&rewritten));
    }
    buf_release(&rewritten);
    return needs;
}

static void check_all(const char *const *texts, size_t count, enum key_needs expected)
{
    for (size_t i = 0; i < count; i++) {
        if (needs_of(bytes_of(texts[i])) != expected) {
            check_fail(__FILE__, __LINE__, texts[i]);
        }
    }
}

#define CHECK_ALL(texts, expected) check_all((texts), sizeof(texts) / sizeof(texts)[0], (expected))

static void scripts_that_name_their_keys_only_need_no_more(void)
{
    static const char *const reading[] = {
        "return 1",
        "",
        "return redis.call('GET', KEYS[1])",
        "return redis.call('get',KEYS[1])",
        "local n = ARGV[1] return server.pcall(\"HGETALL\", KEYS[n + 1])",
        "local k = KEYS[1] return redis.call('GET', k)",
        "local a, b = KEYS[1], KEYS[2]; return { redis.call('GET', a), redis.call('GET', b) }",
        "for i, k in ipairs(KEYS) do redis.call('EXISTS', k) end",
        "for i = 1, #KEYS do redis.call('TTL', KEYS[i]) end return redis.call('TIME')",
        "return redis.call('MGET', unpack(KEYS))",
        "return redis.call('EXISTS', KEYS[1], unpack(KEYS))",
        "return redis.call('SINTERCARD', 2, KEYS[1], KEYS[#KEYS], 'LIMIT', ARGV[1])",
        "local get = redis.call\nlocal x = get('GET', KEYS[1])\nreturn x",
        "return redis.call('OBJECT', 'ENCODING', KEYS[1])",
        "return redis.call('PUBLISH', 'channel', KEYS[1])",
        "return { KEYS[1], KEYS[2] }",
        "local t = { k = KEYS[1] } t.n = 5 return #KEYS + #ARGV",
        "-- redis.call('GET', 'k')\nreturn '[[KEYS = 1' --[==[ KEYS[1] = 1 ]==]",
    };
    static const char *const writing[] = {
        "return redis.call('SET', KEYS[1], ARGV[1])",
        "return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')",
        "return redis.call('DEL', unpack(KEYS))",
        "return redis.call('RENAME', KEYS[1], KEYS[2])",
        "return redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], 'v')",
        "local n = tonumber(ARGV[1]) if n > 1 then n = n - 1 redis.call('INCRBY', KEYS[1], n) end",
        "return redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], KEYS[3])",
        "return redis.call('LPUSH', KEYS[1], unpack(ARGV))",
        "return redis.call('XGROUP', 'CREATE', KEYS[1], 'g', '$', 'MKSTREAM')",
        "return redis.call('HSET', KEYS[1], 'f', cjson.encode({ a = 1 }))",
        "for _, k in pairs(KEYS) do redis.call('INCR', k) end",
        "for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end",
    };
    CHECK_ALL(reading, NEEDS_KEYS_TO_READ);
    CHECK_ALL(writing, NEEDS_KEYS_TO_WRITE);
}

static void scripts_that_may_name_other_keys_need_everything(void)
{
    static const char *const texts[] = {
        /* Keys that are none of the declared, or not surely. */
        "return redis.call('GET', 'k')",
        "return redis.call('GET', ARGV[1])",
        "return redis.call('GET', KEYS[1] .. ':x')",
        "return redis.call('GET', (KEYS[1]))",
        "return redis.call('GET', KEYS[1] or 'k')",
        "return redis.call('GET', KEYS[f(1)])",
        "local k = KEYS[1] .. 'x' return redis.call('GET', k)",
        "local k = KEYS[1] or 'x' return redis.call('GET', k)",
        "local k = KEYS[1] ('x') return redis.call('GET', k)",
        "local k = KEYS[1] k = 'x' return redis.call('GET', k)",
        "local k, j = KEYS[1], 'x' return redis.call('GET', j)",
        "local k, j = KEYS[1] return redis.call('GET', j)",
        "local k, j = 'x', KEYS[1] return redis.call('GET', k)",
        "local k = KEYS[1] local j j, k = 1, 'x' return redis.call('GET', k)",
        "local k = KEYS[1] do local k = 'x' redis.call('GET', k) end",
        "for k, v in ipairs(KEYS) do redis.call('GET', k) end",
        "for i, k in ipairs(ARGV) do redis.call('GET', k) end",
        "for i, k in ipairs(KEYS) do k = 'x' redis.call('GET', k) end",
        "return redis.call('GET', _VERSION)",
        "return redis.call('DEL', KEYS[1], ARGV[1])",
        "return redis.call('DEL', KEYS[1], unpack(ARGV))",
        "return redis.call('DEL', unpack(KEYS), 'x')",
        "return redis.call('MSET', KEYS[1], unpack(ARGV))",
        "return redis.call('MSET', KEYS[1], ARGV[1], 'x', 1)",
        "return redis.call('GET', unpack(ARGV))",
        "return redis.call('RENAME', KEYS[1], 'x')",
        "return redis.call('ZUNIONSTORE', KEYS[1], ARGV[1], KEYS[2], 'x')",
        "return redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], 'x')",
        "return redis.call('BLPOP', KEYS[1], KEYS[2], 0, unpack(ARGV))",
        /* Commands that are not literals, or not for one who holds some keys. */
        "return redis.call(ARGV[1], KEYS[1])",
        "return redis.call('G' .. 'ET', KEYS[1])",
        "return redis.call('\\71ET', KEYS[1])",
        "return redis.call()",
        "return redis.call(unpack(ARGV))",
        "return redis.call('NOSUCH', KEYS[1])",
        "return redis.call('KEYS', '*')",
        "return redis.call('SCAN', 0)",
        "return redis.call('FLUSHALL')",
        "return redis.call('SELECT', 1)",
        "return redis.call('DBSIZE')",
        "return redis.call('RANDOMKEY')",
        "return redis.call('SWAPDB', 0, 1)",
        "return redis.call('MOVE', KEYS[1], 1)",
        "return redis.call('COPY', KEYS[1], KEYS[2])",
        "return redis.call('SORT', KEYS[1], 'BY', 'x*')",
        "return redis.call('XREAD', 'STREAMS', KEYS[1], '0')",
        "return redis.call('EVAL', 'return 1', 1, KEYS[1])",
        "return redis.call('GEORADIUS', KEYS[1], 1, 1, 1, 'm', 'STORE', 'x')",
        /* Other ways to call. */
        "local t = { redis.call } return t[1]('GET', 'x')",
        "local t = redis return t.call('GET', 'x')",
        "return redis['call']('GET', 'x')",
        "return redis.call 'GET'",
        "local call = redis.call call = print return call('GET', KEYS[1])",
        "local call = redis.call or print return call('GET', KEYS[1])",
        "local call = redis.call local other = call return other('GET', 'x')",
        "local call = redis.call return call('GET', 'x')",
        "local a, call = 1, redis.call return call('GET', 'x')",
        "return pcall(redis.call, 'GET', 'x')",
        "table.foreach({ 'x' }, redis.call)",
        "local redis = { call = print } return redis.call('GET', KEYS[1])",
        /* Other keys in KEYS. */
        "KEYS[1] = 'x' return redis.call('GET', KEYS[1])",
        "KEYS[1], KEYS[2] = 'x', 'y' return redis.call('GET', KEYS[1])",
        "local a a, KEYS[1] = 1, 'x' return redis.call('GET', KEYS[1])",
        "KEYS = { 'x' } return redis.call('GET', KEYS[1])",
        "local KEYS = { 'x' } return redis.call('GET', KEYS[1])",
        "for i, KEYS in ipairs(ARGV) do redis.call('GET', KEYS[1]) end",
        "local k = KEYS k[1] = 'x' return redis.call('GET', KEYS[1])",
        "local f, t = ipairs(KEYS) t[1] = 'x' return redis.call('GET', KEYS[1])",
        "table.insert(KEYS, 1, 'x') return redis.call('GET', KEYS[1])",
        "rawset(KEYS, 1, 'x') return redis.call('GET', KEYS[1])",
        "_G.KEYS[1] = 'x' return redis.call('GET', KEYS[1])",
        "getfenv().KEYS = { 'x' } return redis.call('GET', KEYS[1])",
        "_ENV = { KEYS = { 'x' }, redis = redis } return redis.call('GET', KEYS[1])",
        "local ipairs = next for i, k in ipairs(KEYS) do redis.call('GET', k) end",
        "local a, ipairs (f)() for i, k in ipairs(KEYS) do redis.call('GET', k) end",
        "local unpack = tostring return redis.call('DEL', unpack(KEYS))",
        "setmetatable(KEYS, {}) return redis.call('GET', KEYS[1])",
        "loadstring('KEYS[1] = 1')() return redis.call('GET', KEYS[1])",
        /* What may not end. */
        "while true do end",
        "repeat until false",
        "for i = 1, 1000000000 do end",
        "for i = 1, #KEYS, 0 do end",
        "for i, v in ipairs({ 1 }) do end",
        "for i, v in ipairs(KEYS) do for j, w in ipairs(KEYS) do end end",
        "for i, v in ipairs(ARGV) do ARGV[#ARGV + 1] = v end",
        "local function f() return f() end return f()",
        "return (function() return 1 end)()",
        "return string.find(ARGV[1], ARGV[2])",
        "return ARGV[1]:match(ARGV[2])",
        "return (ARGV[1]):gsub(ARGV[2], '')",
        "local s = string local f = s . gmatch return f(ARGV[1], ARGV[2])()",
    };
    CHECK_ALL(texts, NEEDS_EVERYTHING);
}

static void long_texts_need_everything(void)
{
    struct buf text = { 0 };
    for (int i = 0; i < 10000; i++) {
        buf_append(&text, LIT("redis.call('GET', KEYS[1]) "));
    }
    CHECK_INT(needs_of(buf_bytes(&text)), NEEDS_EVERYTHING);
    text.len = 0;
    for (int i = 0; i < 150; i++) {
        buf_printf(&text, "local k%d = KEYS[1] ", i);
    }
    CHECK_INT(needs_of(buf_bytes(&text)), NEEDS_EVERYTHING);
    text.len = 0;
    for (int i = 0; i < 100; i++) {
        buf_append(&text, LIT("if "));
    }
    CHECK_INT(needs_of(buf_bytes(&text)), NEEDS_EVERYTHING);
    buf_release(&text);
}

/* ---- Functions ------------------------------------------------------------------------------ */

#define BODY     "redis.call('SET', keys[1], args[1]) return redis.call('GET', keys[1])"
#define FUNCTION "function(keys, args) " BODY " end"

/* What the function "f" of a library needs. */
static enum key_needs needs_of_f(const char *text)
{
    return declared_function_needs(server.engine.registry, bytes_of(text), LIT("f"));
}

static void functions_that_name_their_keys_only_need_no_more(void)
{
    static const char *const texts[] = {
        "redis.register_function('f', " FUNCTION ")",
        "server.register_function(\"f\", " FUNCTION ");",
        "\nredis.register_function{ function_name = 'f', callback = " FUNCTION " }",
        "redis.register_function({ callback = " FUNCTION ", flags = { 'allow-oom', 'no-cluster' }, "
        "description = 'it sets'; function_name = 'f', })",
        "redis.register_function{ flags = {}, callback = " FUNCTION ", function_name = 'f' }",
        "local function g(keys, args) " BODY " end redis.register_function('f', g)",
        "local function h() return 1 end local function g(a, b) redis.call('DEL', unpack(a)) end "
        "redis.register_function('e', h) redis.register_function('f', g)",
        "redis.register_function('e', function() while true do if x then repeat until false end "
        "end "
        "end) redis.register_function('f', function(k) for i, v in ipairs(k) do "
        "if i > 1 then redis.call('INCR', v) end end end)",
        "local function g() return redis.call('KEYS', '*') end "
        "local function g(keys) return redis.call('INCR', keys[1]) end "
        "redis.register_function('f', g)",
    };
    static const char *const reading[] = {
        "redis.register_function('f', function() return 1 end)",
        "redis.register_function('f', function(x, y) return redis.call('HGET', x[1], y[1]) end)",
        "redis.register_function('f', function(redis, y) return #redis end)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (needs_of_f(texts[i]) != NEEDS_KEYS_TO_WRITE) {
            check_fail(__FILE__, __LINE__, texts[i]);
        }
    }
    for (size_t i = 0; i < sizeof reading / sizeof reading[0]; i++) {
        if (needs_of_f(reading[i]) != NEEDS_KEYS_TO_READ) {
            check_fail(__FILE__, __LINE__, reading[i]);
        }
    }
}

static void functions_that_may_name_other_keys_need_everything(void)
{
    static const char *const texts[] = {
        /* In the body. */
        "redis.register_function('f', function(keys) return redis.call('GET', 'x') end)",
        "redis.register_function('f', function(keys, args) return redis.call('GET', args[1]) end)",
        "redis.register_function('f', function(keys, args) keys[1] = 'x' " BODY " end)",
        "redis.register_function('f', function(keys, args) local keys = args " BODY " end)",
        "redis.register_function('f', function(args, keys) return redis.call('GET', keys[1]) end)",
        "redis.register_function('f', function(keys) return redis.call('GET', KEYS[1]) end)",
        "redis.register_function('f', function(a) KEYS = a return redis.call('GET', KEYS[1]) end)",
        "redis.register_function('f', function(k, k) return redis.call('GET', k[1]) end)",
        "redis.register_function('f', function(...) return redis.call('GET', (...)[1]) end)",
        "redis.register_function('f', function(a, b, KEYS) return redis.call('GET', KEYS[1]) end)",
        "redis.register_function('f', function(redis, args) return redis.call('GET', 'x') end)",
        "redis.register_function('f', function(keys) while true do end end)",
        "redis.register_function('f', function(keys) return (function() return 1 end)() end)",
        "redis.register_function('f', function(keys, args) return args[1]:match(args[2]) end)",
        /* What it uses of the library. */
        "local function g() return redis.call('GET', 'x') end "
        "redis.register_function('f', function(keys) return g() end)",
        "local function unpack() return 'x' end "
        "redis.register_function('f', function(keys) return redis.call('DEL', unpack(keys)) end)",
        "local function f(keys) return f(keys) end redis.register_function('f', f)",
        /* Libraries that do something else. */
        "local redis2 = redis redis.register_function('f', " FUNCTION ")",
        "local unpack = print redis.register_function('f', " FUNCTION ")",
        "for i = 1, 2 do redis.register_function('f' .. i, " FUNCTION ") end",
        "redis.register_function('f' .. '', " FUNCTION ")",
        "redis.register_function('\\102', " FUNCTION ")",
        "redis.register_function('f', " FUNCTION ", 1)",
        "redis.register_function{ function_name = 'f', callback = " FUNCTION " .. 'x' }",
        "redis.register_function{ function_name = 'f', other = " FUNCTION " }",
        "redis.register_function('g', " FUNCTION ")",
        "redis.register_function('f', g)",
        "redis.register_function('f'",
        "redis.register_function('f', function",
        "redis.register_function('f', function(",
        "local function",
        "local function g(",
        "redis.",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (needs_of_f(texts[i]) != NEEDS_EVERYTHING) {
            check_fail(__FILE__, __LINE__, texts[i]);
        }
    }
}

/* ---- Packages ------------------------------------------------------------------------------- */

static void read_package_file(const char *name, struct buf *text)
{
    char path[1024];
    const char *slash = strrchr(__FILE__, '/');
    CHECK(slash != NULL);
    snprintf(path, sizeof path, "%.*s/../../node_modules/%s", (int)(slash - __FILE__), __FILE__,
             name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    text->len = 0;
    for (int c; (c = getc(file)) != EOF;) {
        buf_append_char(text, (char)c);
    }
    fclose(file);
}

/* The scripts between backquotes in a file of JavaScript: how many there are, and how many of them
 * need only their keys. */
static void count_scripts(const char *name, int *scripts, int *declared)
{
    struct buf text = { 0 }, script = { 0 };
    bool inside = false;
    *scripts = *declared = 0;
    read_package_file(name, &text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len && text.at[i + 1] == '\n') {
            i++; /* A line that goes on. */
        } else if (text.at[i] == '`') {
            buf_append_char(&script, '\0');
            if (inside && strstr(script.at, "redis.call") != NULL) {
                *scripts += 1;
                *declared +=
                    needs_of((struct bytes){ script.at, script.len - 1 }) != NEEDS_EVERYTHING;
            }
            script.len = 0;
            inside = !inside;
        } else if (inside) {
            buf_append_char(&script, text.at[i]);
        }
    }
    buf_release(&script);
    buf_release(&text);
}

static void locks_and_rate_limits_of_well_known_packages_need_their_keys_only(void)
{
    static const struct {
        const char *name;
        int scripts;
    } files[] = {
        { "redlock/redlock.js", 3 },
        { "rate-limiter-flexible/lib/RateLimiterRedis.js", 1 },
        { "rate-limit-redis/dist/index.cjs", 2 },
    };
    int scripts, declared;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        count_scripts(files[i].name, &scripts, &declared);
        CHECK_INT(scripts, files[i].scripts);
        CHECK_INT(declared, files[i].scripts);
    }
    /* These make keys of their own: "redis.call('HGET', KEYS[1] .. id, ...)". */
    count_scripts("bullmq/dist/cjs/scripts/moveToFinished-14.js", &scripts, &declared);
    CHECK_INT(scripts, 1);
    CHECK_INT(declared, 0);
    struct buf text = { 0 };
    read_package_file("bee-queue/lib/lua/addJob.lua", &text);
    CHECK_INT(needs_of(buf_bytes(&text)), NEEDS_KEYS_TO_WRITE);
    read_package_file("bee-queue/lib/lua/removeJob.lua", &text);
    CHECK_INT(needs_of(buf_bytes(&text)), NEEDS_KEYS_TO_WRITE);
    buf_release(&text);
}

/* ---- At random ------------------------------------------------------------------------------ */

/* Statements, honest and hostile; "evil" is never among the keys. */
static const char *const statements[] = {
    "redis.call('SET', KEYS[1], ARGV[1])",
    "redis.call('GET', KEYS[2])",
    "redis.call('DEL', unpack(KEYS))",
    "redis.call('MSET', KEYS[1], 'v', KEYS[2], ARGV[1])",
    "redis.call('RENAME', KEYS[1], KEYS[2])",
    "redis.pcall('LPUSH', KEYS[3], unpack(ARGV))",
    "redis.call('PING')",
    "local k = KEYS[1]",
    "local k, j = KEYS[1], KEYS[2]",
    "local k, j = KEYS[1], 'evil'",
    "local j = KEYS[3]",
    "local call = redis.call",
    "local call = redis.pcall;",
    "call('SET', KEYS[1], 'v')",
    "call('SET', k, 'v')",
    "call('GET', 'evil')",
    "redis.call('SET', k, 'v')",
    "redis.call('GET', j)",
    "redis.call('GET', i)",
    "redis.call('GET', 'evil')",
    "redis.call('GET', KEYS[1] .. 'evil')",
    "redis.call('DEL', KEYS[1], ARGV[1])",
    "redis.call('DEL', k, j)",
    "redis.call(ARGV[2], ARGV[1])",
    "redis.call('SUNIONSTORE', KEYS[1], KEYS[2], k)",
    "redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[2])",
    "redis.call('ZUNIONSTORE', KEYS[1], 1, j)",
    "KEYS[1] = 'evil'",
    "KEYS[1], x = 'evil', 1",
    "x, KEYS[1] = 1, 'evil'",
    "k = 'evil'",
    "k, j = 'evil', 'evil'",
    "local t = KEYS",
    "local t = { KEYS }",
    "local t = { KEYS[1], 'evil' }",
    "t[1] = 'evil'",
    "local f, t = ipairs(KEYS)",
    "table.insert(KEYS, 1, 'evil')",
    "local KEYS = { 'evil' }",
    "local ipairs = pairs",
    "local unpack = tostring",
    "local redis = { call = redis.call }",
    "for i, k in ipairs(KEYS) do redis.call('INCR', k)",
    "for i, j in ipairs(ARGV) do redis.call('INCR', j)",
    "for i, k in pairs(KEYS) do",
    "for i = 1, #KEYS do redis.call('APPEND', KEYS[i], i)",
    "if #KEYS > 2 then",
    "if redis.call('EXISTS', KEYS[1]) == 1 then",
    "do",
    "else",
    "end",
    "end",
    "return redis.call('GET', KEYS[1])",
    "_G.KEYS = { 'evil' }",
    "getfenv(1).KEYS[1] = 'evil'",
    "--[[",
    "]]",
    "--",
    "[==[ KEYS[1] = 'evil' ]==]",
    "x = 'a\\'b'",
    "local s = \"a\\\\\"",
    "(k or j)('evil')",
};

/* What is put in the place of something else. */
static const char *const pieces[] = {
    "KEYS",   "ARGV",   "KEYS[1]", "'evil'", "k",  "j",   "i",   "call",   "redis", "redis.call",
    "unpack", "local",  "=",       "==",     ",",  ";",   "(",   ")",      "[",     "]",
    "{",      "}",      ".",       "..",     ":",  "and", "or",  "not",    "#",     "end",
    "do",     "then",   "for",     "in",     "if", "1",   "nil", "ipairs", "\n",    "'GET'",
    "--",     "return", "pairs",   "\\",     "[[", "]]",  "\"",  "'",      "x",     "self",
};

#define PICK(list, seed) (list)[check_random_below((seed), sizeof(list) / sizeof(list)[0])]

static bool joins(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The end of what begins at 'at': a word, or one byte. */
static size_t word_end(const struct buf *text, size_t at)
{
    size_t end = at + 1;
    while (joins(text->at[at]) && end < text->len && joins(text->at[end])) {
        end++;
    }
    return end;
}

static void write_script(uint64_t *seed, struct buf *text)
{
    struct buf whole = { 0 };
    uint64_t lines = 1 + check_random_below(seed, 8), open = 0;
    for (uint64_t i = 0; i < lines; i++) {
        const char *statement = PICK(statements, seed);
        open += strncmp(statement, "for", 3) == 0 || strncmp(statement, "if", 2) == 0 ||
                strcmp(statement, "do") == 0;
        open -= open > 0 && strcmp(statement, "end") == 0;
        buf_printf(&whole, "%s%s", statement, check_random_below(seed, 4) == 0 ? " " : "\n");
    }
    for (; open > 0; open--) {
        buf_append(&whole, LIT("end "));
    }
    /* Now and then some words go, come, or change. */
    bool mutate = check_random_below(seed, 2) == 0;
    text->len = 0;
    for (size_t at = 0; at < whole.len;) {
        size_t end = word_end(&whole, at);
        uint64_t dice = mutate ? check_random_below(seed, 40) : 40;
        if (dice < 2) {
            buf_append(text, bytes_of(PICK(pieces, seed)));
        }
        if (dice != 1 && dice != 2) {
            buf_append(text, (struct bytes){ whole.at + at, end - at });
        }
        at = end;
    }
    buf_release(&whole);
}

static struct bytes evaluate(struct bytes text)
{
    return RUN(&client, LIT("EVAL"), text, LIT("3"), LIT("key:a"), LIT("key:b"), LIT("key:c"),
               LIT("evil"), LIT("GET"), LIT("evil"));
}

/* One thread has no races: ThreadSanitizer gets a sample. */
#ifdef __SANITIZE_THREAD__
enum { SCRIPTS = 1000 };
#else
enum { SCRIPTS = 20000 };
#endif

static void no_script_that_is_known_to_touch_its_keys_touches_another(void)
{
    uint64_t seed = check_seed();
    struct buf text = { 0 };
    int declared = 0, fine = 0;
    for (int i = 0; i < SCRIPTS; i++) {
        write_script(&seed, &text);
        if (needs_of(buf_bytes(&text)) == NEEDS_EVERYTHING) {
            continue;
        }
        declared++;
        (void)evaluate(buf_bytes(&text));
        fine += evaluate(buf_bytes(&text)).at[0] != '-'; /* Compiled, so with keys alone. */
        buf_append_char(&client.flat, '\0');
        if (strstr(client.flat.at, "not declared") != NULL) {
            buf_append_char(&text, '\0');
            check_fail(__FILE__, __LINE__, text.at);
        }
    }
    CHECK(declared > SCRIPTS / 50);
    CHECK(fine > SCRIPTS / 100);
    buf_release(&text);
}

/* What the command's row says before it runs; 'argv' begins with its name. */
static enum key_needs ask_row(const struct bytes *argv, uint32_t argc)
{
    const struct command *container;
    const struct command *command = registry_find(server.engine.registry, argv, 1, &container);
    CHECK(command != NULL && command->needs != NULL);
    executor_enter(&server.executor);
    enum key_needs needs = command->needs(&server.executor, argv, argc);
    executor_leave(&server.executor);
    return needs;
}

static void what_runs_for_the_first_time_is_known_before(void)
{
    struct bytes eval[] = { LIT("EVAL"), LIT("return redis.call('INCR', KEYS[1])"), LIT("1"),
                            LIT("key:a") };
    struct bytes fcall[] = { LIT("FCALL"), LIT("count"), LIT("1"), LIT("key:a") };
    struct bytes code = LIT("#!lua name=counters\nredis.register_function('count', function(keys) "
                            "return redis.call('INCR', keys[1]) end)");
    struct scripting *scripting = scripting_of(&server.engine);
    CHECK_REPLY(RUN_LINE(&client, "SCRIPT FLUSH"), "+OK\r\n");
    (void)RUN_LINE(&client, "DEL key:a");
    /* Whose count of keys is wrong is nobody's script. */
    for (size_t i = 0; i < 3; i++) {
        static const char *const wrong[] = { "x", "-1", "2" };
        eval[2] = bytes_of(wrong[i]);
        CHECK_INT(ask_row(eval, 4), NEEDS_EVERYTHING);
        CHECK(RUN(&client, eval[0], eval[1], eval[2], eval[3]).at[0] == '-');
    }
    CHECK_INT(scripting->count, 0);
    eval[2] = LIT("1");
    CHECK_INT(ask_row(eval, 4), NEEDS_KEYS_TO_WRITE);
    CHECK_INT(scripting->count, 1);
    CHECK_REPLY(RUN(&client, eval[0], eval[1], eval[2], eval[3]), ":1\r\n");
    CHECK_INT(ask_row(fcall, 4), NEEDS_EVERYTHING);
    CHECK_REPLY(RUN(&client, LIT("FUNCTION"), LIT("LOAD"), code), "$8\r\ncounters\r\n");
    CHECK_INT(ask_row(fcall, 4), NEEDS_KEYS_TO_WRITE);
    CHECK_REPLY(RUN_LINE(&client, "FCALL count 1 key:a"), ":2\r\n");
}

/* Has the server believe of a script what is not so. */
static void pretend(struct bytes text, enum key_needs needs)
{
    char digest[SHA1_HEX_LEN];
    sha1_hex(text, digest);
    struct machine *machine = machine_open(&server.executor);
    CHECK(machine != NULL);
    ((struct compiled *)(uintptr_t)machine_find(machine, digest))->needs = needs;
}

static void one_that_does_is_stopped(void)
{
    struct bytes reads = LIT("return redis.pcall('GET', 'evil')");
    struct bytes writes = LIT("redis.call('SET', KEYS[1], 'v') return 1");
    struct bytes walks = LIT("return redis.pcall('DBSIZE')");
    const char *refusal = "-ERR Script attempted to access a key that it has not declared";
    (void)evaluate(reads);
    (void)evaluate(writes);
    (void)evaluate(walks);
    pretend(reads, NEEDS_KEYS_TO_WRITE);
    pretend(writes, NEEDS_KEYS_TO_READ);
    pretend(walks, NEEDS_KEYS_TO_READ);
    CHECK(strncmp(evaluate(reads).at, refusal, strlen(refusal)) == 0);
    CHECK(strncmp(evaluate(writes).at, refusal, strlen(refusal)) == 0);
    CHECK(strncmp(evaluate(walks).at, refusal, strlen(refusal)) == 0);
}

int main(void)
{
    run_server_init(&server);
    run_client_init(&client, &server);
    RUN_TEST(scripts_that_name_their_keys_only_need_no_more);
    RUN_TEST(scripts_that_may_name_other_keys_need_everything);
    RUN_TEST(long_texts_need_everything);
    RUN_TEST(functions_that_name_their_keys_only_need_no_more);
    RUN_TEST(functions_that_may_name_other_keys_need_everything);
    RUN_TEST(locks_and_rate_limits_of_well_known_packages_need_their_keys_only);
    RUN_TEST(no_script_that_is_known_to_touch_its_keys_touches_another);
    RUN_TEST(one_that_does_is_stopped);
    RUN_TEST(what_runs_for_the_first_time_is_known_before);
    run_client_release(&client);
    run_server_release(&server);
    return check_done();
}
