/**
 * Where our replies differ from redis-server's on purpose, or must because two clocks or two
 * hash orders are never the same.  Everything else has to be the same byte for byte.
 */
import { elementsOf, type RespValue, textOf } from '../support/resp';
import { NEWER_COMMANDS } from './newer-commands';

/** A difference, why it is there, and what of it is allowed. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  /** True for the commands that it is about; `argv` is in upper case. */
  readonly applies: (argv: readonly string[]) => boolean;
  /** True when the two replies differ in just this way. */
  readonly allows: (ours: RespValue, redis: RespValue, argv: readonly string[]) => boolean;
  /** The command, if there is one, whose reply each of the servers has drawn its own from. */
  readonly source?: (argv: readonly string[]) => readonly string[] | undefined;
}

/** What Redis tells as the reference count of a shared object. */
const SHARED_COUNT = '2147483647';

/** Commands that list what is in a hash table. */
const UNORDERED = new Set('SMEMBERS SINTER SUNION SDIFF SSCAN HGETALL HKEYS HVALS HSCAN'.split(' '));

/** What Redis 7.0 keeps short lists and sets in. */
const SHORT_IN_7_0 = new Set(['quicklist', 'hashtable']);

/** What XREAD says when ids are missing. */
const UNBALANCED = /Unbalanced \S+ list of streams: for each stream key an ID or '[$>]' must be specified\./;

/** The table; the first entry that applies decides. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'entries of ACL LOG',
    reason:
      'Entries are those of Redis 7.2, with a number and two times; each server tells its own clock and its own sockets.',
    applies: ([name, subcommand]) => name === 'ACL' && subcommand === 'LOG',
    allows: (ours, redis) =>
      JSON.stringify(elementsOf(ours).map(withoutCircumstances)) ===
      JSON.stringify(elementsOf(redis).map(withoutCircumstances)),
  },
  {
    name: 'order of keys',
    reason: 'KEYS and SCAN list keys in the order of a hash table with a random seed, in Redis too.',
    applies: ([name]) => name === 'KEYS' || name === 'SCAN',
    allows: (ours, redis) => sorted(ours) === sorted(redis),
  },
  {
    name: 'order of members',
    reason:
      'A hash table, whose seed is random, has no order of its own; nor has a small set that Redis 7.0 keeps in one.',
    applies: ([name]) => UNORDERED.has(name ?? ''),
    allows: (ours, redis) => sorted(ours) === sorted(redis),
  },
  {
    name: 'order of what SORT does not sort',
    reason: 'BY without an asterisk leaves the elements as they come: those of a set in the order of a hash table.',
    applies: (argv) => argv[0] === 'SORT' && /^sort:(set|other)$/i.test(argv[1] ?? '') && sortsByNothing(argv),
    // With LIMIT there may be other elements, as many, but each server's own.
    allows: (ours, redis, argv) =>
      argv.includes('LIMIT')
        ? ours.kind === redis.kind && elementsOf(ours).length === elementsOf(redis).length
        : sameRows(ours, redis, argv),
    source: withoutLimit,
  },
  {
    name: 'members by chance',
    reason: 'Each server has its own dice: as many members or fields, but not the same ones.',
    applies: ([name]) => name === 'SRANDMEMBER' || name === 'HRANDFIELD' || name === 'SPOP',
    allows: (ours, redis) => ours.kind === redis.kind && elementsOf(ours).length === elementsOf(redis).length,
  },
  {
    name: 'two clocks, seconds',
    reason: 'The two servers run a relative expiry from slightly different moments; seconds are rounded.',
    applies: ([name]) => name === 'TTL' || name === 'EXPIRETIME',
    allows: (ours, redis) => near(ours, redis, 1),
  },
  {
    name: 'two clocks, milliseconds',
    reason: 'The two servers run a relative expiry from slightly different moments.',
    applies: ([name]) => name === 'PTTL' || name === 'PEXPIRETIME',
    allows: (ours, redis) => near(ours, redis, 500),
  },
  {
    name: 'seconds of idleness',
    reason: 'Redis counts idle time on a clock that it reads ten times a second.',
    applies: ([name, subcommand]) => name === 'OBJECT' && subcommand === 'IDLETIME',
    allows: (ours, redis) => near(ours, redis, 1),
  },
  {
    name: 'two clocks, idle time of pending entries',
    reason: 'Each server reads its own clock when it tells for how long an entry has been idle.',
    applies: ([name]) => name === 'XPENDING',
    allows: (ours, redis) => samePending(elementsOf(ours), elementsOf(redis)),
  },
  {
    name: 'encoding of short lists and sets',
    reason: 'Since Redis 7.2 a short list or set is one listpack; 7.0 has a quicklist of one, and a table.',
    applies: ([name, subcommand]) => name === 'OBJECT' && subcommand === 'ENCODING',
    allows: (ours, redis) => textOf(ours) === 'listpack' && SHORT_IN_7_0.has(textOf(redis)),
  },
  {
    name: 'lowest rank of LPOS',
    reason: 'Since Redis 7.2 LPOS refuses the one rank that has no opposite; 7.0 overflows.',
    applies: (argv) => argv[0] === 'LPOS' && argv[argv.indexOf('RANK') + 1] === '-9223372036854775808',
    allows: (ours) => textOf(ours).startsWith('ERR value is out of range, value must between'),
  },
  {
    name: 'shared integers',
    reason: 'Redis shares small integers, except for copies; we tell its number for all of them and share none.',
    applies: ([name, subcommand]) => name === 'OBJECT' && subcommand === 'REFCOUNT',
    allows: (ours, redis) => textOf(ours) === SHARED_COUNT && textOf(redis) === '1',
  },
  {
    name: 'bit ranges of missing keys',
    reason: 'Since Redis 7.2 the arguments of BITCOUNT and BITPOS are checked even if there is no key, or no string.',
    applies: ([name]) => name === 'BITCOUNT' || name === 'BITPOS',
    allows: (ours, redis) =>
      ours.kind === '-' && (textOf(redis) === '0' || textOf(redis) === '-1' || isWrongType(redis)),
  },
  {
    name: 'unbalanced streams',
    reason: 'Since Redis 7.2 the error names the command in lower case, and the id that it takes.',
    applies: ([name]) => name === 'XREAD' || name === 'XREADGROUP',
    allows: (ours, redis) => [ours, redis].every((reply) => UNBALANCED.test(textOf(reply))),
  },
  {
    name: 'help texts',
    reason: 'The texts of HELP are our own; both are arrays of lines.',
    applies: ([, subcommand]) => subcommand === 'HELP',
    allows: (ours, redis) => allLines(ours) && allLines(redis),
  },
  {
    name: 'identity',
    reason: 'HELLO tells the version and a client number, which are each server’s own.',
    applies: ([name]) => name === 'HELLO',
    allows: (ours, redis) => fieldNames(ours) === fieldNames(redis),
  },
  {
    name: 'client numbers',
    reason: 'Each server numbers its clients by itself.',
    applies: ([name, subcommand]) => name === 'CLIENT' && subcommand === 'ID',
    allows: (ours, redis) => ours.kind === ':' && redis.kind === ':',
  },
  {
    name: 'time',
    reason: 'TIME is the clock, read twice.',
    applies: ([name]) => name === 'TIME',
    allows: (ours, redis) => elementsOf(ours).length === 2 && elementsOf(redis).length === 2,
  },
  {
    name: 'time of the newest snapshot',
    reason: 'LASTSAVE tells when the server started, until it has saved; the two started at different times.',
    applies: ([name]) => name === 'LASTSAVE',
    allows: (ours, redis) => near(ours, redis, 600),
  },
  {
    name: 'random passwords',
    reason: 'ACL GENPASS draws them.',
    applies: ([name, subcommand]) => name === 'ACL' && subcommand === 'GENPASS',
    allows: (ours, redis) => /^[0-9a-f]+$/.test(textOf(ours)) && textOf(ours).length === textOf(redis).length,
  },
  {
    name: 'order and age of the commands of a category',
    reason: 'ACL CAT lists commands in the order of a hash table; redis-server 7.0 lacks the newer ones.',
    applies: ([name, subcommand, category]) => name === 'ACL' && subcommand === 'CAT' && category !== undefined,
    allows: (ours, redis) => olderNames(ours) === olderNames(redis),
  },
  {
    name: 'bytes of a key',
    reason: 'MEMORY USAGE tells what a key takes in each server, whose structures are different ones.',
    applies: ([name, subcommand]) => name === 'MEMORY' && subcommand === 'USAGE',
    allows: (ours, redis) => [ours, redis].every((reply) => reply.kind === ':' && Number(textOf(reply)) > 0),
  },
  {
    name: 'memory of the server',
    reason: 'MEMORY STATS has the same fields, with each server’s own numbers.',
    applies: ([name, subcommand]) => name === 'MEMORY' && subcommand === 'STATS',
    allows: (ours, redis) => fieldNames(ours) === fieldNames(redis) && fieldKinds(ours) === fieldKinds(redis),
  },
  {
    name: 'reports in words',
    reason: 'The reports of MEMORY and LATENCY are our own sentences; both are texts.',
    applies: ([name, subcommand]) =>
      (name === 'MEMORY' || name === 'LATENCY') && /^(DOCTOR|MALLOC-STATS|GRAPH)$/.test(subcommand ?? ''),
    allows: (ours, redis) => ours.kind === redis.kind && (ours.kind === '=' || ours.kind === '$'),
  },
  {
    name: 'two clocks, latency',
    reason: 'Each server measures for itself how long something took, and when that was.',
    applies: ([name, subcommand]) => name === 'LATENCY' && /^(LATEST|HISTORY)$/.test(subcommand ?? ''),
    allows: (ours, redis) => sameShape(ours, redis, 50),
  },
  {
    name: 'latency of commands',
    reason: 'The histograms have the same commands and counts of calls; how long these took is each server’s own.',
    applies: ([name, subcommand]) => name === 'LATENCY' && subcommand === 'HISTOGRAM',
    allows: (ours, redis) => callsOf(ours) === callsOf(redis),
  },
  {
    name: 'order of command names',
    reason: 'COMMAND LIST lists names in the order of a hash table; redis-server 7.0 lacks the newer ones.',
    applies: ([name, subcommand]) => name === 'COMMAND' && subcommand === 'LIST',
    allows: (ours, redis) => olderNames(ours) === olderNames(redis),
  },
  {
    name: 'ranks with scores',
    reason: 'ZRANK and ZREVRANK take WITHSCORE since 7.2; redis-server 7.0 has a fixed arity.',
    applies: ([name, , , option]) => (name === 'ZRANK' || name === 'ZREVRANK') && option !== undefined,
    allows: (_, redis) => redis.kind === '-',
  },
  {
    name: 'members by chance',
    reason: 'ZRANDMEMBER draws its members.',
    applies: ([name]) => name === 'ZRANDMEMBER',
    allows: (ours, redis) => ours.kind === redis.kind && elementsOf(ours).length === elementsOf(redis).length,
  },
  {
    name: 'order of members in a scan',
    reason: 'ZSCAN lists the members of a large set in the order of a hash table.',
    applies: ([name]) => name === 'ZSCAN',
    allows: (ours, redis) => elementsOf(ours).map(sorted).join() === elementsOf(redis).map(sorted).join(),
  },
];

/** Is the difference between two replies to a command one of the table? */
export function isKnown(argv: readonly string[], ours: RespValue, redis: RespValue): boolean {
  const upper = upperCased(argv);
  return entryOf(upper)?.allows(ours, redis, upper) === true;
}

/** The command whose reply each server has drawn its own reply to `argv` from: see {@link isDrawnFrom}. */
export function sourceOf(argv: readonly string[]): readonly string[] | undefined {
  return entryOf(upperCased(argv))?.source?.(argv);
}

/** Is there nothing in a reply that is not, as often, in the reply of its source? */
export function isDrawnFrom(argv: readonly string[], reply: RespValue, source: RespValue): boolean {
  const upper = upperCased(argv);
  const left = rowsOf(source, upper);
  return (
    reply.kind === source.kind &&
    rowsOf(reply, upper).every((row) => {
      const at = left.indexOf(row);
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    })
  );
}

function upperCased(argv: readonly string[]): readonly string[] {
  return argv.map((word) => word.toUpperCase());
}

function entryOf(upper: readonly string[]): KnownDifference | undefined {
  return KNOWN_DIFFERENCES.find((known) => known.applies(upper));
}

/** The reply to a SORT row by row: what the GETs, if there are any, gave for one element. */
function rowsOf(reply: RespValue, upper: readonly string[]): string[] {
  const width = Math.max(1, upper.filter((word) => word === 'GET').length);
  const elements = elementsOf(reply);
  return Array.from({ length: Math.ceil(elements.length / width) }, (_, row) =>
    JSON.stringify(elements.slice(row * width, (row + 1) * width)),
  );
}

function sameRows(ours: RespValue, redis: RespValue, upper: readonly string[]): boolean {
  return ours.kind === redis.kind && rowsOf(ours, upper).sort().join() === rowsOf(redis, upper).sort().join();
}

/** A SORT with a LIMIT, without it. */
function withoutLimit(argv: readonly string[]): readonly string[] | undefined {
  const at = upperCased(argv).indexOf('LIMIT');
  return at < 0 ? undefined : [...argv.slice(0, at), ...argv.slice(at + 3)];
}

/** Does a SORT have a BY that names no key of the elements? */
function sortsByNothing(argv: readonly string[]): boolean {
  const by = argv.indexOf('BY');
  return by > 0 && argv[by + 1]?.includes('*') === false;
}

/** The reply with the elements of each array in one order, as text. */
function sorted(reply: RespValue): string {
  if (!Array.isArray(reply.value)) return JSON.stringify(reply).replace(UNBALANCED, '');
  return `${reply.kind}[${elementsOf(reply).map(sorted).sort().join()}]`;
}

function near(ours: RespValue, redis: RespValue, tolerance: number): boolean {
  const [mine, theirs] = [Number(textOf(ours)), Number(textOf(redis))];
  return ours.kind === ':' && redis.kind === ':' && mine > 0 && theirs > 0 && Math.abs(mine - theirs) <= tolerance;
}

/** The same entries of XPENDING, whose third field, milliseconds from 0 on, may be a little apart. */
function samePending(ours: readonly RespValue[], redis: readonly RespValue[]): boolean {
  return ours.length === redis.length && ours.every((entry, at) => samePendingEntry(entry, redis[at]));
}

function samePendingEntry(ours: RespValue, redis: RespValue | undefined): boolean {
  if (redis === undefined) return false;
  const [id, consumer, idle, deliveries, ...more] = elementsOf(ours);
  const [theirId, theirConsumer, theirIdle, theirDeliveries] = elementsOf(redis);
  if (idle?.kind !== ':' || theirIdle?.kind !== ':' || more.length > 0) return false;
  const same = [id, consumer, deliveries].every(
    (field, at) => JSON.stringify(field) === JSON.stringify([theirId, theirConsumer, theirDeliveries][at]),
  );
  const [mine, theirs] = [Number(textOf(idle)), Number(textOf(theirIdle))];
  return same && mine >= 0 && theirs >= 0 && Math.abs(mine - theirs) <= 500;
}

/** Of an entry of ACL LOG what is the same on two servers: of the client, who it was and what it ran. */
function withoutCircumstances(entry: RespValue): unknown {
  const fields = elementsOf(entry);
  return [entry.kind[0]].concat(
    fields.slice(0, 14).map((field) => {
      const text = textOf(field) ?? '';
      if (text.startsWith('id=')) return text.match(/ (?:db|multi|cmd|user)=\S+/g)?.join() ?? '';
      return /^\d+\.\d+(e-\d+)?$|^0$/.test(text) ? `${field.kind} seconds` : `${field.kind}${text}`;
    }),
  );
}

/** The names that redis-server 7.0 has, too, in one order. */
function olderNames(reply: RespValue): string {
  return elementsOf(reply)
    .map(textOf)
    .filter((name) => NEWER_COMMANDS[name] === undefined || name === 'zrank' || name === 'zrevrank')
    .sort()
    .join();
}

function isWrongType(reply: RespValue): boolean {
  return reply.kind === '-' && textOf(reply).startsWith('WRONGTYPE');
}

function allLines(reply: RespValue): boolean {
  return elementsOf(reply).length > 0 && elementsOf(reply).every((line) => line.kind === '+');
}

/** The kinds of the values of a reply with named fields. */
function fieldKinds(reply: RespValue): string {
  return elementsOf(reply)
    .filter((_, index) => index % 2 === 1)
    .map((value) => value.kind)
    .join();
}

/** The same names, and numbers that are not further apart than `tolerance`. */
function sameShape(ours: RespValue, redis: RespValue, tolerance: number): boolean {
  const [mine, theirs] = [elementsOf(ours), elementsOf(redis)];
  if (ours.kind !== redis.kind || mine.length !== theirs.length) return false;
  if (mine.length > 0) return mine.every((value, at) => sameShape(value, theirs[at] ?? value, tolerance));
  return ours.kind === ':'
    ? Math.abs(Number(textOf(ours)) - Number(textOf(redis))) <= tolerance
    : textOf(ours) === textOf(redis);
}

/** Names and counts of calls of LATENCY HISTOGRAM, in one order. */
function callsOf(reply: RespValue): string {
  const fields = elementsOf(reply);
  return fields
    .flatMap((name, index) => {
      const told = fields[index + 1];
      return index % 2 === 1 || told === undefined ? [] : [`${textOf(name)}=${textOf(elementsOf(told)[1])}`];
    })
    .sort()
    .join();
}

function fieldNames(reply: RespValue): string {
  return elementsOf(reply)
    .filter((_, index) => index % 2 === 0)
    .map(textOf)
    .join();
}
