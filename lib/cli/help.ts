/** Examples and notes that `--help` prints below the options. */

/** Of the program itself. */
export const PROGRAM_EXAMPLES: string = `
Examples:
  $ redis-lite-native start                    serve on 127.0.0.1:6379 until Ctrl+C
  $ redis-lite-native start --port 0 --json    any free port, log lines as JSON
  $ redis-lite-native cli set greeting hello
  $ redis-lite-native stop

Exit codes: 0 success, 1 failure, 2 wrong usage.
`;

/** Of `start`. */
export const START_EXAMPLES: string = `
Every directive of redis.conf is an option, and everything up to the next option is its value.
Values are taken from, the weakest first: defaults, redis.conf, REDIS_LITE_* variables, options.

Examples:
  $ redis-lite-native start
  $ redis-lite-native start redis.conf --port 7777 --maxclients 100
  $ redis-lite-native start --bind 127.0.0.1 ::1 --io-model blocking --workers 8
  $ redis-lite-native start --daemonize yes --pidfile /run/redis.pid --logfile /var/log/redis.log
  $ REDIS_LITE_PORT=7777 redis-lite-native start --log-format logfmt

More options:
  --json            the same as --log-format json
`;

/** Of `stop`. */
export const STOP_EXAMPLES: string = `
Without --port, --host or --socket a pidfile in this folder is tried first.

Examples:
  $ redis-lite-native stop
  $ redis-lite-native stop --pidfile /run/redis.pid
  $ redis-lite-native stop --port 7777
`;

/** Of `status`. */
export const STATUS_EXAMPLES: string = `
Examples:
  $ redis-lite-native status
  $ redis-lite-native status --port 7777 --json
`;

/** Of `config`. */
export const CONFIG_EXAMPLES: string = `
Takes what start takes, and prints it as a redis.conf with the source of each value above it.

Examples:
  $ redis-lite-native config redis.conf --port 7777
  $ REDIS_LITE_MAXCLIENTS=50 redis-lite-native config --json
`;

/** Of `cli`. */
export const CLI_EXAMPLES: string = `
Without a command it reads commands from standard input, with editing and history on a terminal.

Examples:
  $ redis-lite-native cli
  $ redis-lite-native cli -p 7777 get greeting
  $ echo 'incr visits' | redis-lite-native cli --json
`;

/** Of `completion`. */
export const COMPLETION_EXAMPLES: string = `
Examples:
  $ source <(redis-lite-native completion bash)
  $ redis-lite-native completion fish > ~/.config/fish/completions/redis-lite-native.fish
`;
