/** Random commands on sorted sets and on places (geo), for the generator. */
import type { Dice } from '../support/dice';

const MEMBERS = ['x', 'y', 'z', 'one', 'two', '7', '-3', '', '\x00\xff', 'aa', 'ab', 'b'.repeat(70), '007'];
const SCORES = ['0', '1', '-1', '2', '3.5', '-2.25', '1e3', 'inf', '-inf', '0.1', '1e17', '-0', 'nan', 'x', ''];
const BOUNDS = ['-inf', '+inf', '(1', '1', '2', '(2', '3.5', '(0.1', '-1', '(-1', 'x', '', '(', '(nan', '1e3'];
const TEXTS = ['-', '+', '[a', '(a', '[x', '(x', '[', '(', '[y', '(three', 'x', '', '[k2'];
const RANKS = ['0', '1', '-1', '2', '5', '-3', '100', '-100', 'x', '', '9223372036854775807'];
const COUNTS = ['1', '2', '3', '0', '-1', 'x'];
const RADII = ['0', '1', '100', '500', '5000', '20000', '-1', 'x', '200'];
const UNITS = ['m', 'km', 'km', 'mi', 'ft', 'KM', 'parsec'];
const POINTS = [
  ['13.361389', '38.115556'],
  ['15.087269', '37.502669'],
  ['2.35', '48.85'],
  ['179.9', '10'],
  ['-179.9', '10.1'],
  ['0', '85'],
  ['0', '0'],
  ['181', '0'],
  ['x', '1'],
];

/** Where a command's words come from. */
interface Source {
  readonly dice: Dice;
  readonly key: () => string;
}

/** Each choice of words, taken with one chance in `odds`. */
function some(dice: Dice, odds: number, choices: readonly string[][]): string[] {
  return choices.filter(() => dice.oneIn(odds)).flat();
}

function many(count: number, make: () => string[]): string[] {
  return Array.from({ length: count }, make).flat();
}

function member(dice: Dice): string {
  return dice.oneIn(3) ? `m${dice.below(200)}` : dice.pick(MEMBERS);
}

function score(dice: Dice): string {
  return dice.oneIn(3) ? dice.pick(SCORES) : String((dice.below(200) - 100) / dice.pick([1, 1, 4, 7]));
}

/** Makes one command on sorted sets, with keys from the generator. */
export function zsetCommand(dice: Dice, key: () => string): readonly string[] {
  const source = { dice, key };
  return dice.pick([change, change, change, look, look, range, range, combine])(source);
}

function change({ dice, key }: Source): string[] {
  const pairs = (limit: number): string[] => many(1 + dice.below(limit), () => [score(dice), member(dice)]);
  return dice.pick([
    () => ['ZADD', key(), ...pairs(5)],
    () => ['ZADD', key(), ...some(dice, 6, [['NX'], ['XX'], ['GT'], ['LT'], ['CH'], ['INCR']]), ...pairs(3)],
    () => ['ZADD', key(), ...many(60, () => [String(dice.below(20)), member(dice)])],
    () => ['ZINCRBY', key(), score(dice), member(dice)],
    () => ['ZREM', key(), ...many(1 + dice.below(4), () => [member(dice)])],
    () => ['ZREMRANGEBYRANK', key(), dice.pick(RANKS), dice.pick(RANKS)],
    () => ['ZREMRANGEBYSCORE', key(), dice.pick(BOUNDS), dice.pick(BOUNDS)],
    () => [dice.pick(['ZPOPMIN', 'ZPOPMAX']), key(), ...some(dice, 2, [[dice.pick(RANKS)]])],
    () => [
      'ZMPOP',
      dice.pick(['1', '2', '2', '0', 'x']),
      key(),
      key(),
      dice.pick(['MIN', 'MAX', 'min', 'x']),
      ...some(dice, 3, [['COUNT', dice.pick(COUNTS)]]),
    ],
  ])();
}

function look({ dice, key }: Source): string[] {
  return dice.pick([
    () => ['ZCARD', key()],
    () => ['ZSCORE', key(), member(dice)],
    () => ['ZMSCORE', key(), member(dice), member(dice)],
    () => [dice.pick(['ZRANK', 'ZREVRANK']), key(), member(dice)],
    () => ['ZCOUNT', key(), dice.pick(BOUNDS), dice.pick(BOUNDS)],
    () => ['ZSCAN', key(), '0', 'COUNT', '1000', ...some(dice, 4, [['MATCH', dice.pick(['*', 'm*', '[a-c]*'])]])],
    () => ['ZRANDMEMBER', key(), dice.pick(['0', '1', '100', '-3', 'x'])],
  ])();
}

/** By text only where it is checked or empty: in a set of different scores it has no meaning. */
function range({ dice, key }: Source): string[] {
  const bounds = (): string[] => [dice.pick(BOUNDS), dice.pick(BOUNDS)];
  const ranks = (): string[] => [dice.pick(RANKS), dice.pick(RANKS)];
  const limit = (): string[] => ['LIMIT', dice.pick(RANKS), dice.pick(RANKS)];
  const options = (): string[] => some(dice, 3, [['WITHSCORES'], ['REV'], limit()]);
  return dice.pick([
    () => ['ZRANGE', key(), ...ranks(), ...options()],
    () => ['ZRANGE', key(), ...bounds(), 'BYSCORE', ...options()],
    () => ['ZRANGE', 'missing', dice.pick(TEXTS), dice.pick(TEXTS), 'BYLEX', ...options()],
    () => ['ZRANGESTORE', key(), key(), ...ranks(), ...some(dice, 4, [['REV']])],
    () => ['ZRANGESTORE', key(), key(), ...bounds(), 'BYSCORE', ...some(dice, 4, [['REV'], limit()])],
    () => ['ZREVRANGE', key(), ...ranks(), ...some(dice, 4, [['WITHSCORES'], ['REV']])],
    () => [
      dice.pick(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
      key(),
      ...bounds(),
      ...some(dice, 4, [['WITHSCORES'], limit()]),
    ],
    () => [dice.pick(['ZLEXCOUNT', 'ZRANGEBYLEX']), 'missing', dice.pick(TEXTS), dice.pick(TEXTS)],
  ])();
}

function combine({ dice, key }: Source): string[] {
  const count = 1 + dice.below(3);
  const keys = [dice.oneIn(20) ? dice.pick(['0', '-1', 'x', '9']) : String(count), ...many(count, () => [key()])];
  const weights = ['WEIGHTS', ...many(count, () => [score(dice)])];
  const weighed = (): string[] => some(dice, 3, [weights, ['AGGREGATE', dice.pick(['SUM', 'MIN', 'MAX', 'x'])]]);
  const scores = (): string[] => some(dice, 3, [['WITHSCORES']]);
  return dice.pick([
    () => [dice.pick(['ZUNION', 'ZINTER']), ...keys, ...weighed(), ...scores()],
    () => [dice.pick(['ZUNIONSTORE', 'ZINTERSTORE']), key(), ...keys, ...weighed()],
    () => ['ZDIFF', ...keys, ...scores()],
    () => ['ZDIFFSTORE', key(), ...keys],
    () => ['ZINTERCARD', ...keys, ...some(dice, 3, [['LIMIT', dice.pick(RANKS)]])],
  ])();
}

/** Makes one command on places, with keys from the generator. */
export function geoCommand(dice: Dice, key: () => string): readonly string[] {
  const place = (): string => `g${dice.below(30)}`;
  const point = (): string[] => [...dice.pick(POINTS)];
  const radius = (): string[] => [dice.pick(RADII), dice.pick(UNITS)];
  const count = ['COUNT', dice.pick(COUNTS)];
  const options = (): string[] => some(dice, 4, [['WITHDIST'], ['WITHHASH'], ['WITHCOORD'], ['ASC'], ['DESC'], count]);
  const stored = (): string[] => some(dice, 10, [['ANY'], [dice.pick(['STORE', 'STOREDIST']), key()]]);
  const center = (): string[] => (dice.oneIn(2) ? ['FROMMEMBER', place()] : ['FROMLONLAT', ...point()]);
  const area = (): string[] => (dice.oneIn(2) ? ['BYRADIUS', ...radius()] : ['BYBOX', dice.pick(RADII), ...radius()]);
  const add = (): string[] => [
    'GEOADD',
    key(),
    ...some(dice, 10, [['NX'], ['XX'], ['CH']]),
    ...many(1 + dice.below(3), () => [...point(), place()]),
  ];
  return dice.pick([
    add,
    add,
    () => ['GEOADD', key(), String(dice.below(3600) / 10 - 180), String(dice.below(1600) / 10 - 80), place()],
    () => ['GEODIST', key(), place(), place(), ...some(dice, 2, [[dice.pick(UNITS)]])],
    () => [dice.pick(['GEOHASH', 'GEOPOS']), key(), place(), place()],
    () => [dice.pick(['GEORADIUS', 'GEORADIUS_RO']), key(), ...point(), ...radius(), ...options(), ...stored()],
    () => [
      dice.pick(['GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO']),
      key(),
      place(),
      ...radius(),
      ...options(),
      ...stored(),
    ],
    () => ['GEOSEARCH', key(), ...center(), ...area(), ...options(), ...some(dice, 12, [['ANY'], ['STOREDIST']])],
    () => ['GEOSEARCHSTORE', key(), key(), ...center(), ...area(), ...some(dice, 5, [['ASC'], count, ['STOREDIST']])],
  ])();
}
