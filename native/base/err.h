/* Every way a call can fail, with the exact text a client sees.  Adding a line here
 * is the only step: the enum and the lookup are derived from it.  "{command}" in a
 * text becomes the full lower-case name of the running command. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

#define ERR_LIST(X)                                                                                \
    X(ERR_SYNTAX, "ERR syntax error")                                                              \
    X(ERR_NOT_INT, "ERR value is not an integer or out of range")                                  \
    X(ERR_NOT_FLOAT, "ERR value is not a valid float")                                             \
    X(ERR_OUT_OF_RANGE, "ERR value is out of range")                                               \
    X(ERR_NOT_POSITIVE, "ERR value is out of range, must be positive")                             \
    X(ERR_OVERFLOW, "ERR increment or decrement would overflow")                                   \
    X(ERR_DECREMENT_OVERFLOW, "ERR decrement would overflow")                                      \
    X(ERR_NAN_OR_INFINITY, "ERR increment would produce NaN or Infinity")                          \
    X(ERR_OFFSET, "ERR offset is out of range")                                                    \
    X(ERR_STRING_TOO_LONG, "ERR string exceeds maximum allowed size (proto-max-bulk-len)")         \
    X(ERR_EXPIRE, "ERR invalid expire time in '{command}' command")                                \
    X(ERR_ARITY, "ERR wrong number of arguments for '{command}' command")                          \
    X(ERR_WRONG_TYPE, "WRONGTYPE Operation against a key holding the wrong kind of value")         \
    X(ERR_NO_KEY, "ERR no such key")                                                               \
    X(ERR_SAME_OBJECT, "ERR source and destination objects are the same")                          \
    X(ERR_BUSY_KEY, "BUSYKEY Target key name already exists.")                                     \
    X(ERR_BAD_DATA, "ERR Bad data format")                                                         \
    X(ERR_BAD_PAYLOAD, "ERR DUMP payload version or checksum are wrong")                           \
    X(ERR_DB_INDEX, "ERR DB index is out of range")                                                \
    X(ERR_CURSOR, "ERR invalid cursor")                                                            \
    X(ERR_NOT_AUTHENTICATED, "NOAUTH Authentication required.")                                    \
    X(ERR_WRONG_PASSWORD, "WRONGPASS invalid username-password pair or user is disabled.")         \
    X(ERR_NO_PERMISSION, "NOPERM this user has no permissions to run the '{command}' command")     \
    X(ERR_NO_KEY_PERMISSION,                                                                       \
      "NOPERM this user has no permissions to access one of the keys used as arguments")           \
    X(ERR_NO_CHANNEL_PERMISSION,                                                                   \
      "NOPERM this user has no permissions to access one of the channels used as arguments")       \
    X(ERR_NO_PROTO, "NOPROTO unsupported protocol version")                                        \
    X(ERR_NESTED_MULTI, "ERR MULTI calls can not be nested")                                       \
    X(ERR_EXEC_WITHOUT_MULTI, "ERR EXEC without MULTI")                                            \
    X(ERR_DISCARD_WITHOUT_MULTI, "ERR DISCARD without MULTI")                                      \
    X(ERR_WATCH_IN_MULTI, "ERR WATCH inside MULTI is not allowed")                                 \
    X(ERR_NOT_IN_MULTI, "ERR Command not allowed inside a transaction")                            \
    X(ERR_EXEC_ABORTED, "EXECABORT Transaction discarded because of previous errors.")             \
    X(ERR_NO_MEMORY, "OOM command not allowed when used memory > 'maxmemory'.")                    \
    X(ERR_OUT_OF_MEMORY, "ERR out of memory")                                                      \
    X(ERR_SCRIPT_UNKNOWN, "ERR Unknown Redis command called from script")                          \
    X(ERR_SCRIPT_ARITY, "ERR Wrong number of args calling Redis command from script")              \
    X(ERR_SCRIPT_COMMAND, "ERR This Redis command is not allowed from script")                     \
    X(ERR_SCRIPT_UNDECLARED, "ERR Script attempted to access a key that it has not declared")      \
    X(ERR_SCRIPT_NO_PERMISSION,                                                                    \
      "ERR The user executing the script can't run this command or subcommand")                    \
    X(ERR_SCRIPT_NO_KEY, "ERR The user executing the script can't access at least one of the "     \
                         "keys mentioned in the command arguments")                                \
    X(ERR_SCRIPT_NO_CHANNEL, "ERR The user executing the script can't publish to the channel "     \
                             "mentioned in the command")                                           \
    X(ERR_SCRIPT_READ_ONLY, "ERR Write commands are not allowed from read-only scripts.")          \
    X(ERR_SCRIPT_REPLY, "ERR the reply of the script is larger than lua-reply-limit")              \
    X(ERR_BUSY_SCRIPT,                                                                             \
      "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")    \
    X(ERR_BUSY_FUNCTION,                                                                           \
      "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.")  \
    X(ERR_SCRIPT_KILLED, "ERR Script killed by user with SCRIPT KILL...")                          \
    X(ERR_NOTHING_TO_KILL, "NOTBUSY No scripts in execution right now.")                           \
    X(ERR_UNKILLABLE,                                                                              \
      "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "  \
      "either wait the script termination or kill the server in a hard way using the SHUTDOWN "    \
      "NOSAVE command.")                                                                           \
    X(ERR_NO_SCRIPT, "NOSCRIPT No matching script. Please use EVAL.")                              \
    X(ERR_NO_CLIENT, "ERR No such client")                                                         \
    X(ERR_NO_REDIRECT, "ERR The client ID you want redirect to does not exist")                    \
    X(ERR_INTERNAL, "ERR internal error")

enum err {
    OK = 0,
#define X(name, text) name,
    ERR_LIST(X)
#undef X
    /* The handler has written its own error reply; the executor adds nothing. */
    ERR_REPLIED,
    ERR_COUNT
};

/* The text a client sees for 'err', without the leading '-'.  Constant. */
const char *err_text(enum err err);

#endif
