/** Random SORT and RESTORE commands, for the generator. */
import type { Dice } from '../support/dice';

/**
 * What SORT works on has keys of its own, which never hold sorted sets: Redis changes the
 * encoding of those for good when it sorts them, which OBJECT ENCODING would tell.
 */
const SORTED = ['sort:list', 'sort:set', 'sort:other'];
const ELEMENTS = ['1', '2', '3', '10', '-5', '2.5', 'b', 'a', 'B', '', '1e3', '007'];
const NUMBERS = ['1', '2', '3', '10', '-5', '0'];
const PATTERNS = ['weight:*', 'object:*->rank', 'object:*->name', 'nosort', '#', '*', 'weight:1', 'object:*->'];
const LIMITS = ['0', '1', '3', '100', '-1', 'x', '9223372036854775807'];

/** Makes one command on the keys that SORT is about. */
export function sortCommand(dice: Dice): readonly string[] {
  const key = (): string => dice.pick(SORTED);
  const elements = (): string[] => {
    const from = dice.oneIn(2) ? NUMBERS : ELEMENTS;
    return Array.from({ length: 1 + dice.below(6) }, () => dice.pick(from));
  };
  const perhaps = (...words: string[]): string[] => (dice.oneIn(3) ? words : []);
  const limit = (): string[] => perhaps('LIMIT', dice.pick(LIMITS), dice.pick(LIMITS));
  return dice.pick([
    () => [dice.pick(['RPUSH', 'LPUSH']), 'sort:list', ...elements()],
    () => ['RPUSH', 'sort:other', ...elements()],
    () => ['SADD', dice.pick(['sort:set', 'sort:other']), ...elements()],
    () => ['DEL', key(), dice.pick(ELEMENTS)],
    () => ['SET', `weight:${dice.pick(ELEMENTS)}`, dice.pick(dice.oneIn(4) ? ELEMENTS : NUMBERS)],
    () => ['HSET', `object:${dice.pick(ELEMENTS)}`, 'rank', dice.pick(NUMBERS), 'name', dice.pick(ELEMENTS)],
    () => ['SORT', 'sort:list', ...limit(), ...perhaps('BY', dice.pick(PATTERNS)), ...direction(dice)],
    () => [
      'SORT',
      'sort:set',
      ...limit(),
      ...perhaps('BY', dice.pick(['weight:*', 'object:*->rank'])),
      ...direction(dice),
    ],
    () => [
      'SORT',
      dice.pick(['sort:set', 'sort:other']),
      ...['LIMIT', dice.pick(['0', '1', '3']), dice.pick(['1', '3', '100'])],
      ...['BY', 'nosort'],
      ...perhaps('GET', dice.pick(PATTERNS)),
      ...perhaps('GET', '#'),
    ],
    () => ['SORT', key(), 'ALPHA', ...perhaps('GET', dice.pick(PATTERNS)), ...limit(), ...direction(dice)],
    () => ['SORT_RO', 'sort:list', ...perhaps('GET', '#'), ...perhaps('GET', dice.pick(PATTERNS)), ...limit()],
    () => ['SORT', 'sort:list', ...perhaps('BY', dice.pick(PATTERNS)), ...limit(), 'STORE', key()],
    () => ['SORT', 'sort:set', ...perhaps('BY', 'nosort'), ...limit(), 'STORE', 'sort:other'],
  ])();
}

function direction(dice: Dice): string[] {
  return dice.pick([[], ['ASC'], ['DESC'], ['desc']]);
}

/** Payloads of DUMP, in Latin-1: good ones of each type, of old servers too, and broken ones. */
const PAYLOADS: readonly string[] = [
  '\x00\x05hello\x0a\x00cr\xdfve4 \x0a',
  '\x00\xc1\xe8\x03\x0a\x00\x89\xd1G\x8e\xba\xc4\xb7d',
  '\x0a00\x00\x00\x00%\x00\x00\x00\x08\x00\x00\x01a\x03\x02bc\x04\xf6\x02\xfe\xff\x03\xc0\xe8\x03\x04\xf0\xa0\x86\x01\x05\xd0\x80\x96\x98\x00\x06\xe0\x00\xe4\x0bT\x02\x00\x00\x00\xff\x0a\x00\x1dfF<$\x94|\x90',
  '\x12\x01\x02\x11\x10\x10\x00\x00\x00\x03\x00\x81a\x02\x81b\x02\x81c\x02\xff\x0a\x00q\x04E\xae8\x82\x0d4',
  '\x02\x03\x01a\xc0\x05\x01b\x0a\x00\xaej\xc9\xa4\xdb\xc5\x04^',
  '\x0b\x0e\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x02\x00\x03\x00\x0a\x00\xa5\x02\x5c\xe2mnM\x1b',
  '\x10\x11\x11\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81b\x02\x02\x01\xff\x0a\x00>@cl\x8f]v\x9a',
  '\x0d\x16\x16\x00\x00\x00\x13\x00\x00\x00\x04\x00\x00\x01f\x03\x01v\x03\x01g\x03\xfd\xff\x0a\x00W,\x814\x9a\xc2=\xb6',
  '\x05\x03\x01c\x00\x00\x00\x00\x00\x00\x08@\x01b\x00\x00\x00\x00\x00\x00\x00@\x01a\x00\x00\x00\x00\x00\x00\xe0\xbf\x0a\x00\xfb\x02\x9bJ\xec\xc8ZJ',
  '\x11\x1c\x1c\x00\x00\x00\x06\x00\x81a\x02\x01\x01\x81b\x02\x832.5\x04\x81c\x02\x83inf\x04\xff\x0a\x00k\x1d\xde\xdc\xe8\xe2\xc3\x99',
  '\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01))\x00\x00\x00\x0f\x00\x02\x01\x00\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01\x02\x01\x01\x01\x00\x01\x82v2\x03\x04\x01\xff\x02\x02\x01\x01\x01\x00\x00\x02\x01\x01g\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00h\xe5\xcf\x8b\x01\x00\x00\x03\x01\x01c\x00h\xe5\xcf\x8b\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x0a\x00\xa4\x7f\x88\xad*uv\xd8',
  '\x02\x02\x01a\x01a\x0a\x00W\xbev/\xc2\xd6R:',
  '\x01\x00\x0a\x00[\xf8%\xccl\x17CV',
  'bad',
];
const LIVES = ['0', '0', '0', '100000', '-1', 'x', '9223372036854775807'];

/** Makes a RESTORE command. */
export function restoreCommand(dice: Dice, key: () => string): readonly string[] {
  const perhaps = (...words: string[]): string[] => (dice.oneIn(4) ? words : []);
  return [
    'RESTORE',
    key(),
    dice.pick(LIVES),
    dice.pick(PAYLOADS),
    ...(dice.oneIn(3) ? [] : ['REPLACE']),
    ...perhaps('IDLETIME', dice.pick(['0', '5', '-1', 'x'])),
    ...perhaps('FREQ', dice.pick(['0', '255', '256', 'x'])),
  ];
}
