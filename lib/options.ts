/** The options of {@link createServer}, written out by hand; a test compares them with the core's table. */

import type { Environment } from './config/environment';
import type { Logger } from './log/logger';

/** A number of bytes: `1048576`, `'100mb'`, `'1gb'`. */
export type MemorySize = number | `${number}${'' | 'b' | 'k' | 'kb' | 'm' | 'mb' | 'g' | 'gb'}`;

/** A switch; the words are those of redis.conf. */
export type YesNo = boolean | 'yes' | 'no';

/** What is evicted when `maxmemory` is reached. */
export type EvictionPolicy =
  | 'noeviction'
  | 'allkeys-lru'
  | 'allkeys-lfu'
  | 'allkeys-random'
  | 'volatile-lru'
  | 'volatile-lfu'
  | 'volatile-random'
  | 'volatile-ttl';

/** The directives of redis.conf in camelCase. */
export interface DirectiveOptions {
  /** The TCP port; 0 lets the system pick one. */
  readonly port?: number;
  /** Addresses to listen on; a leading `-` makes one optional. */
  readonly bind?: string | readonly string[];
  /** The path of a Unix socket to listen on. */
  readonly unixsocket?: string;
  /** Its permissions in octal digits, such as `700`. */
  readonly unixsocketperm?: number | string;
  /** Connections that the kernel keeps until they are accepted. */
  readonly tcpBacklog?: number;
  /** Turns away clients of other machines while no password is set. */
  readonly protectedMode?: YesNo;
  /** Seconds between keep-alive probes; 0 for none. */
  readonly tcpKeepalive?: number;
  /** Seconds after which an idle client is disconnected; 0 for never. */
  readonly timeout?: number;
  readonly maxclients?: number;
  readonly databases?: number;
  /** `events`: workers serve many clients each.  `blocking`: a worker serves one until it leaves. */
  readonly ioModel?: 'events' | 'blocking';
  /** Worker threads; 0 for one per core. */
  readonly workers?: number;
  readonly jobQueueLength?: number;
  readonly ioPoller?: 'auto' | 'epoll' | 'kqueue' | 'poll';
  readonly requirepass?: string;
  /** Users, each with its name and its rules: `'alice on >secret ~* +@read'`. */
  readonly user?: string | readonly string[];
  /** A file of users, as `ACL SAVE` writes it. */
  readonly aclfile?: string;
  /** Refused commands that `ACL LOG` remembers. */
  readonly acllogMaxLen?: number;
  /** Whether a new user may hear all channels, or none. */
  readonly aclPubsubDefault?: 'allchannels' | 'resetchannels';
  readonly protoMaxBulkLen?: MemorySize;
  readonly protoInlineMaxSize?: MemorySize;
  readonly protoMaxMultibulkLen?: number;
  readonly clientQueryBufferLimit?: MemorySize;
  /** One line for each class: `'pubsub 32mb 8mb 60'`. */
  readonly clientOutputBufferLimit?: string | readonly string[];
  /** Unsent bytes at which a client's further commands wait. */
  readonly clientReplyPause?: MemorySize;
  /** Rounds of background work in a second. */
  readonly hz?: number;
  readonly dynamicHz?: YesNo;
  /** 0 for no limit. */
  readonly maxmemory?: MemorySize;
  /** Of all clients together, in bytes or as a part of `maxmemory`; 0 for no limit. */
  readonly maxmemoryClients?: MemorySize | `${number}%`;
  readonly maxmemoryPolicy?: EvictionPolicy;
  readonly maxmemorySamples?: number;
  readonly lfuLogFactor?: number;
  readonly lfuDecayTime?: number;
  /** Microseconds from which a command is slow; negative for none. */
  readonly slowlogLogSlowerThan?: number;
  readonly slowlogMaxLen?: number;
  /** Which changes of keys are published, by their letters: `'KEA'` for all, the default none. */
  readonly notifyKeyspaceEvents?: string;
  /** The least important lines that are logged. */
  readonly logLevel?: 'debug' | 'verbose' | 'notice' | 'warning';
  readonly lazyfreeLazyEviction?: YesNo;
  readonly lazyfreeLazyExpire?: YesNo;
  readonly lazyfreeLazyServerDel?: YesNo;
  readonly lazyfreeLazyUserDel?: YesNo;
  readonly lazyfreeLazyUserFlush?: YesNo;
  readonly hashMaxListpackEntries?: number;
  readonly hashMaxListpackValue?: MemorySize;
  readonly listMaxListpackSize?: number;
  readonly listCompressDepth?: number;
  readonly setMaxIntsetEntries?: number;
  readonly setMaxListpackEntries?: number;
  readonly setMaxListpackValue?: MemorySize;
  readonly zsetMaxListpackEntries?: number;
  readonly zsetMaxListpackValue?: MemorySize;
  readonly hllSparseMaxBytes?: MemorySize;
  readonly streamNodeMaxBytes?: MemorySize;
  readonly streamNodeMaxEntries?: number;
  /** Milliseconds from which on events are kept for LATENCY; 0, the default, for none. */
  readonly latencyMonitorThreshold?: number;
  readonly latencyTracking?: YesNo;
  readonly latencyTrackingInfoPercentiles?: string;
  /** Keys that are remembered for clients with a cache of their own (CLIENT TRACKING); 0: all. */
  readonly trackingTableMaxKeys?: number;
  /** Bytes of messages that a thread's mailbox holds before publishers and writers wait. */
  readonly mailboxLimit?: MemorySize;
  /** Milliseconds from which on a script may be killed, and others are told that the server is busy. */
  readonly busyReplyThreshold?: number;
  /** Bytes that the scripts of one thread may have. */
  readonly luaMemoryLimit?: MemorySize;
  /** Bytes of a script's reply. */
  readonly luaReplyLimit?: MemorySize;
  readonly rdbcompression?: YesNo;
  readonly sanitizeDumpPayload?: 'no' | 'yes' | 'clients';
  readonly dir?: string;
  readonly dbfilename?: string;
  /** Seconds that a stop waits for commands and replies on their way. */
  readonly shutdownTimeout?: number;
  readonly enableDebugCommand?: 'no' | 'yes' | 'local';
  readonly enableProtectedConfigs?: 'no' | 'yes' | 'local';
  /** The form of log lines; setting it, or `logFile`, switches logging on. */
  readonly logFormat?: 'auto' | 'redis' | 'json' | 'logfmt';
  /** The file to log to. */
  readonly logFile?: string;
}

/** What {@link createServer} takes: directives, and how the server sits in the process. */
export interface ServerOptions extends DirectiveOptions {
  /** A redis.conf to read; the options object wins over it. */
  readonly configFile?: string;
  /**
   * Variables to read `REDIS_LITE_*` from, usually `process.env`.  By default none are read:
   * an embedded server behaves as its code says.
   */
  readonly environment?: Environment;
  /** A command line as redis-server takes it: `['redis.conf', '--port', '7777']`. */
  readonly argv?: readonly string[];
  /** Takes the server's log; a pino logger is one.  By default an embedded server is silent. */
  readonly logger?: Logger;
  /** Lets SIGINT and SIGTERM stop the server gracefully.  By default signals are left alone. */
  readonly handleSignals?: boolean;
  /** How many unread events the core keeps. */
  readonly eventCapacity?: number;
  /** Makes the server's dice reproducible. */
  readonly randomSeed?: bigint;
}

/** The keys of {@link ServerOptions} that are no directives. */
export const OTHER_OPTIONS: ReadonlySet<string> = new Set<Exclude<keyof ServerOptions, keyof DirectiveOptions>>([
  'configFile',
  'environment',
  'argv',
  'logger',
  'handleSignals',
  'eventCapacity',
  'randomSeed',
]);
