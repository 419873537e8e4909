/** Random commands on streams and their groups, for the generator. */
import type { Dice } from '../support/dice';

const TIMES = 40;
const SEQUENCES = 4;
const GROUPS = ['g', 'h'];
const CONSUMERS = ['c', 'd'];
const FIELDS = ['f', 'g', '12', ''];
const COUNTS = ['0', '1', '2', '5', '-1', 'x'];
const LENGTHS = ['0', '1', '5', '10', '-1', 'x'];
const MIN_IDLE = ['0', '0', '100000000000', '-1', 'x'];

/**
 * Makes one command, with keys and values from the generator.  Ids are given, for two clocks
 * would not make the same ones; and consumers are not looked at, for Redis 7.0 makes them later.
 */
export function streamCommand(dice: Dice, key: () => string, value: () => string): readonly string[] {
  const id = (): string => `${dice.below(TIMES)}-${dice.below(SEQUENCES)}`;
  const ids = (): string[] => Array.from({ length: 1 + dice.below(4) }, id);
  const end = (): string => dice.pick([id(), `(${id()}`, String(dice.below(TIMES)), '-', '+', 'x']);
  const group = (): string => dice.pick(GROUPS);
  const consumer = (): string => dice.pick(CONSUMERS);
  const count = (): string[] => (dice.oneIn(2) ? ['COUNT', dice.pick(COUNTS)] : []);
  const pairs = (): string[] => Array.from({ length: 1 + dice.below(3) }, () => [dice.pick(FIELDS), value()]).flat();
  const limit = (): string[] => (dice.oneIn(3) ? ['LIMIT', dice.pick(LENGTHS)] : []);
  const trim = (): string[] =>
    dice.pick([
      ['MAXLEN', dice.pick(LENGTHS)],
      ['MAXLEN', '=', dice.pick(LENGTHS)],
      ['MAXLEN', '~', dice.pick(LENGTHS), ...limit()],
      ['MINID', id()],
      ['MINID', '~', id(), ...limit()],
    ]);
  const add = (): string[] => [
    'XADD',
    key(),
    ...(dice.oneIn(5) ? trim() : []),
    ...(dice.oneIn(8) ? ['NOMKSTREAM'] : []),
    dice.pick([id(), id(), `${dice.below(TIMES)}-*`]),
    ...pairs(),
  ];
  return dice.pick([
    add,
    add,
    add,
    add,
    () => ['XLEN', key()],
    () => [dice.pick(['XRANGE', 'XREVRANGE']), key(), end(), end(), ...count()],
    () => [dice.pick(['XRANGE', 'XREVRANGE']), key(), dice.pick(['-', '+']), dice.pick(['-', '+']), ...count()],
    () => ['XDEL', key(), ...ids()],
    () => ['XTRIM', key(), ...trim()],
    () => ['XREAD', ...count(), 'STREAMS', key(), key(), id(), dice.pick([id(), '$'])],
    () => ['XINFO', 'STREAM', key()],
    () => ['XGROUP', 'CREATE', key(), group(), dice.pick([id(), '$', '0']), ...(dice.oneIn(3) ? ['MKSTREAM'] : [])],
    () => ['XGROUP', 'CREATE', key(), group(), '0'],
    () => ['XGROUP', 'SETID', key(), group(), dice.pick([id(), '$'])],
    () => ['XGROUP', 'DESTROY', key(), group()],
    () => ['XGROUP', 'DELCONSUMER', key(), group(), consumer()],
    () => [
      'XREADGROUP',
      'GROUP',
      group(),
      consumer(),
      ...count(),
      ...(dice.oneIn(5) ? ['NOACK'] : []),
      'STREAMS',
      key(),
      dice.pick(['>', '>', '>', id()]),
    ],
    () => ['XREADGROUP', 'GROUP', group(), consumer(), 'COUNT', '2', 'STREAMS', key(), '>'],
    () => ['XACK', key(), group(), ...ids()],
    () => ['XPENDING', key(), group()],
    () => [
      'XCLAIM',
      key(),
      group(),
      consumer(),
      dice.pick(MIN_IDLE),
      ...ids(),
      ...dice.pick([[], ['FORCE'], ['JUSTID'], ['FORCE', 'JUSTID'], ['RETRYCOUNT', '3'], ['LASTID', id()]]),
    ],
    () => ['XAUTOCLAIM', key(), group(), consumer(), dice.pick(MIN_IDLE), end(), ...count()],
  ])();
}
