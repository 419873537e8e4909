/** Random commands, most of them valid, some nearly so, over few keys so that they meet. */
import type { Dice } from '../support/dice';
import { restoreCommand, sortCommand } from './sort-commands';
import { streamCommand } from './stream-commands';
import { geoCommand, zsetCommand } from './zset-commands';

const KEYS = ['a', 'b', 'c', 'd', 'key:1', '{tag}:2', ''];
const VALUES = [
  '',
  'x',
  'hello world',
  '0',
  '1',
  '-1',
  '42',
  '007',
  ' 5',
  '3.25',
  '1e3',
  '-0',
  '9223372036854775806',
  '-9223372036854775808',
  '9223372036854775808',
  '\x00\x01\r\n\xff',
  'y'.repeat(44),
  'z'.repeat(45),
  'long '.repeat(1000),
];
const STEPS = ['0', '1', '-1', '7', '-1000', '9223372036854775807', '-9223372036854775808', '1.5', 'x', ''];
const FLOATS = ['0', '1.5', '-2.25', '1e3', '0.1', '1e400', 'nan', 'inf', 'x', '', '3.0', '-0.0'];
const OFFSETS = ['0', '1', '3', '-1', '-3', '10', '5000', '-5000', '20000', 'x', '9223372036854775807'];
/** Lifetimes are long, or over at once: what ends within the test would end at two moments. */
const SECONDS = ['100', '1000', '5000', '0', '-1', '9223372036854775807', 'x', '1.5'];
const MILLISECONDS = ['100000', '1000000', '0', '-5', '9223372036854775807', 'x'];
const UNIX_SECONDS = ['4102444800', '4102444801', '1', '0', '-1', '9223372036854775807', 'x'];
const UNIX_MILLISECONDS = ['4102444800000', '4102444800500', '1', '0', '-1', '9223372036854775807', 'x'];
const BIT_OFFSETS = ['0', '1', '7', '8', '30', '#1', '#3', '1000', '40000', '-1', 'x', '4294967296'];
const FIELD_TYPES = ['u1', 'u8', 'i8', 'i5', 'u63', 'i64', 'u64', 'x'];
const JUNK = ['NOPE', '', 'NX', 'EX', '\r\n', 'KEEPTTL', '99999999999999999999'];
const PATTERNS = ['*', 'a*', '?', '[a-c]', 'key:*', '*[0-9]', 'nothing', '\\a'];

const INDEXES = ['0', '1', '2', '-1', '-2', '5', '-5', '100', '-100', 'x', '9223372036854775807'];
const COUNTS = ['0', '1', '2', '-1', '10', 'x', '9223372036854775807', '-9223372036854775808'];

const FIELDS = ['f', 'g', 'h', '1', '2', '-70000', '', `field:${'x'.repeat(70)}`];
const MEMBERS = ['1', '2', '3', '-5', '70000', '-70000', '5000000000', 'a', 'b', 'c', 'm:1', 'm:2'];
const DRAWS = ['0', '1', '2', '100', '-3', 'x'];

/** A command, as its words in Latin-1. */
export type Words = readonly string[];

/** Makes commands from dice. */
export class Generator {
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** The next few commands: one, or a transaction. */
  next(): readonly Words[] {
    /* DBSIZE counts keys that have ended but nobody has looked at: so somebody looks. */
    if (this.#dice.oneIn(100)) return [['EXISTS', ...KEYS], ['DBSIZE']];
    if (!this.#dice.oneIn(40)) return [this.#perhapsSpoilt(this.#dice.oneIn(8) ? this.#differing() : this.#plain())];
    const body = Array.from({ length: this.#dice.below(6) }, () => this.#perhapsSpoilt(this.#plain()));
    const watch = this.#dice.oneIn(3) ? [['WATCH', this.#key()], this.#plain()] : [];
    return [...watch, ['MULTI'], ...body, [this.#dice.oneIn(5) ? 'DISCARD' : 'EXEC']];
  }

  #key(): string {
    return this.#dice.pick(KEYS);
  }

  #value(): string {
    return this.#dice.pick(VALUES);
  }

  #keys(): string[] {
    return Array.from({ length: 1 + this.#dice.below(4) }, () => this.#key());
  }

  #pairs(): string[] {
    return this.#keys().flatMap((key) => [key, this.#value()]);
  }

  #some(words: readonly string[][]): string[] {
    return words.filter(() => this.#dice.oneIn(4)).flat();
  }

  #lifetime(): string[] {
    const pick = (choices: readonly string[]): string => this.#dice.pick(choices);
    return this.#dice.pick([
      ['EX', pick(SECONDS)],
      ['PX', pick(MILLISECONDS)],
      ['EXAT', pick(UNIX_SECONDS)],
      ['PXAT', pick(UNIX_MILLISECONDS)],
    ]);
  }

  /** Commands whose replies are the same to the byte. */
  #plain(): Words {
    return this.#dice.pick([
      () => ['GET', this.#key()],
      () => ['SET', this.#key(), this.#value()],
      () => [
        'SET',
        this.#key(),
        this.#value(),
        ...this.#some([this.#lifetime(), ['NX'], ['XX'], ['GET'], ['KEEPTTL']]),
      ],
      () => ['SETNX', this.#key(), this.#value()],
      () => ['SETEX', this.#key(), this.#dice.pick(SECONDS), this.#value()],
      () => ['PSETEX', this.#key(), this.#dice.pick(MILLISECONDS), this.#value()],
      () => ['GETSET', this.#key(), this.#value()],
      () => ['GETDEL', this.#key()],
      () => ['GETEX', this.#key(), ...this.#some([this.#lifetime(), ['PERSIST']])],
      () => ['MGET', ...this.#keys()],
      () => ['MSET', ...this.#pairs()],
      () => ['MSETNX', ...this.#pairs()],
      () => ['APPEND', this.#key(), this.#value()],
      () => ['STRLEN', this.#key()],
      () => ['GETRANGE', this.#key(), this.#dice.pick(OFFSETS), this.#dice.pick(OFFSETS)],
      () => ['SUBSTR', this.#key(), this.#dice.pick(OFFSETS), this.#dice.pick(OFFSETS)],
      () => ['SETRANGE', this.#key(), this.#dice.pick(OFFSETS), this.#value()],
      () => [this.#dice.pick(['INCR', 'DECR']), this.#key()],
      () => [this.#dice.pick(['INCRBY', 'DECRBY']), this.#key(), this.#dice.pick(STEPS)],
      () => ['INCRBYFLOAT', this.#key(), this.#dice.pick(FLOATS)],
      () => [
        'LCS',
        this.#key(),
        this.#key(),
        ...this.#some([['LEN'], ['IDX'], ['MINMATCHLEN', '2'], ['WITHMATCHLEN']]),
      ],
      () => [this.#dice.pick(['DEL', 'UNLINK', 'EXISTS', 'TOUCH']), ...this.#keys()],
      () => ['TYPE', this.#key()],
      () => [this.#dice.pick(['RENAME', 'RENAMENX']), this.#key(), this.#key()],
      () => ['COPY', this.#key(), this.#key(), ...this.#some([['REPLACE'], ['DB', this.#dice.pick(['0', '1', '99'])]])],
      () => ['MOVE', this.#key(), this.#dice.pick(['0', '1', '2', '16'])],
      () => ['OBJECT', 'ENCODING', this.#key()],
      () => ['EXPIRE', this.#key(), this.#dice.pick(SECONDS), ...this.#some([['NX'], ['XX']])],
      () => ['PEXPIRE', this.#key(), this.#dice.pick(MILLISECONDS), ...this.#some([['NX'], ['XX']])],
      () => ['EXPIREAT', this.#key(), this.#dice.pick(UNIX_SECONDS), ...this.#conditions()],
      () => ['PEXPIREAT', this.#key(), this.#dice.pick(UNIX_MILLISECONDS), ...this.#conditions()],
      () => ['PERSIST', this.#key()],
      () => this.#list(),
      () => this.#list(),
      () => this.#list(),
      () => this.#hash(),
      () => this.#hash(),
      () => this.#hash(),
      () => this.#set(),
      () => this.#set(),
      () => this.#set(),
      () => this.#bits(),
      () => this.#bits(),
      () => this.#hyperLogLog(),
      () => this.#stream(),
      () => this.#stream(),
      () => this.#stream(),
      () => zsetCommand(this.#dice, () => this.#key()),
      () => zsetCommand(this.#dice, () => this.#key()),
      () => zsetCommand(this.#dice, () => this.#key()),
      () => geoCommand(this.#dice, () => this.#key()),
      () => sortCommand(this.#dice),
      () => sortCommand(this.#dice),
      () => restoreCommand(this.#dice, () => this.#key()),
      () => ['SELECT', this.#dice.pick(['0', '0', '1', '16'])],
    ])();
  }

  #stream(): Words {
    return streamCommand(
      this.#dice,
      () => this.#key(),
      () => this.#value(),
    );
  }

  #list(): Words {
    const count = (): string => this.#dice.pick(COUNTS);
    const index = (): string => this.#dice.pick(INDEXES);
    const end = (): string => this.#dice.pick(['LEFT', 'RIGHT', 'left', 'MIDDLE']);
    const values = (): string[] => Array.from({ length: 1 + this.#dice.below(8) }, () => this.#value());
    return this.#dice.pick([
      () => [this.#dice.pick(['LPUSH', 'RPUSH']), this.#key(), ...values()],
      () => [this.#dice.pick(['LPUSH', 'RPUSH']), this.#key(), ...values()],
      () => [this.#dice.pick(['LPUSHX', 'RPUSHX']), this.#key(), ...values()],
      () => [this.#dice.pick(['LPOP', 'RPOP']), this.#key(), ...this.#some([[count()]])],
      () => ['LLEN', this.#key()],
      () => ['LRANGE', this.#key(), index(), index()],
      () => ['LINDEX', this.#key(), index()],
      () => ['LSET', this.#key(), index(), this.#value()],
      () => ['LINSERT', this.#key(), this.#dice.pick(['BEFORE', 'AFTER', 'AT']), this.#value(), this.#value()],
      () => ['LREM', this.#key(), count(), this.#value()],
      () => ['LTRIM', this.#key(), index(), index()],
      () => [
        'LPOS',
        this.#key(),
        this.#value(),
        ...this.#some([
          ['RANK', count()],
          ['COUNT', count()],
          ['MAXLEN', count()],
        ]),
      ],
      () => ['LMOVE', this.#key(), this.#key(), end(), end()],
      () => ['RPOPLPUSH', this.#key(), this.#key()],
      () => [
        'LMPOP',
        this.#dice.pick(['1', '2', '2', '3', '0', 'x']),
        this.#key(),
        this.#key(),
        end(),
        ...this.#some([['COUNT', count()]]),
      ],
    ])();
  }

  #hash(): Words {
    const field = (): string => this.#dice.pick(FIELDS);
    const fields = (): string[] => Array.from({ length: 1 + this.#dice.below(4) }, field);
    const pairs = (): string[] => fields().flatMap((name) => [name, this.#value()]);
    return this.#dice.pick([
      () => [this.#dice.pick(['HSET', 'HMSET']), this.#key(), ...pairs()],
      () => [this.#dice.pick(['HSET', 'HMSET']), this.#key(), ...pairs()],
      () => ['HSETNX', this.#key(), field(), this.#value()],
      () => [this.#dice.pick(['HGET', 'HEXISTS', 'HSTRLEN']), this.#key(), field()],
      () => ['HMGET', this.#key(), ...fields()],
      () => ['HDEL', this.#key(), ...fields()],
      () => ['HINCRBY', this.#key(), field(), this.#dice.pick(STEPS)],
      () => ['HINCRBYFLOAT', this.#key(), field(), this.#dice.pick(FLOATS)],
      () => [this.#dice.pick(['HGETALL', 'HKEYS', 'HVALS', 'HLEN']), this.#key()],
      () => ['HSCAN', this.#key(), '0', ...this.#scanOptions()],
    ])();
  }

  #set(): Words {
    const member = (): string => this.#dice.pick(this.#dice.oneIn(2) ? MEMBERS : VALUES);
    const members = (): string[] => Array.from({ length: 1 + this.#dice.below(5) }, member);
    return this.#dice.pick([
      () => ['SADD', this.#key(), ...members()],
      () => ['SADD', this.#key(), ...members()],
      () => ['SADD', this.#key(), ...members()],
      () => ['SREM', this.#key(), ...members()],
      () => ['SISMEMBER', this.#key(), member()],
      () => ['SMISMEMBER', this.#key(), ...members()],
      () => [this.#dice.pick(['SCARD', 'SMEMBERS']), this.#key()],
      /* What is popped must not depend on dice. */
      () => ['SPOP', this.#key(), this.#dice.pick(['0', '1000', 'x', '-1'])],
      () => ['SMOVE', this.#key(), this.#key(), member()],
      () => [this.#dice.pick(['SINTER', 'SUNION', 'SDIFF']), ...this.#keys()],
      () => [this.#dice.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']), this.#key(), ...this.#keys()],
      () => [
        'SINTERCARD',
        this.#dice.pick(['1', '2', '3', '0', 'x']),
        ...this.#keys(),
        ...this.#some([['LIMIT', this.#dice.pick(['0', '1', '2', '-1', 'x'])]]),
      ],
      () => ['SSCAN', this.#key(), '0', ...this.#scanOptions()],
    ])();
  }

  #scanOptions(): string[] {
    return [
      'COUNT',
      '1000',
      ...this.#some([
        ['MATCH', this.#dice.pick(PATTERNS)],
        ['COUNT', this.#dice.pick(['0', 'x'])],
      ]),
    ];
  }

  #bits(): Words {
    const pick = (choices: readonly string[]): string => this.#dice.pick(choices);
    const range = (): string[] => [pick(OFFSETS), pick(OFFSETS), ...this.#some([['BIT'], ['BYTE']])];
    return this.#dice.pick([
      () => ['SETBIT', this.#key(), pick(BIT_OFFSETS), pick(['0', '1', '1', '2'])],
      () => ['GETBIT', this.#key(), pick(BIT_OFFSETS)],
      () => ['BITCOUNT', this.#key(), ...(this.#dice.oneIn(4) ? [] : range())],
      () => ['BITPOS', this.#key(), pick(['0', '1']), ...(this.#dice.oneIn(4) ? [] : range())],
      () => ['BITOP', pick(['AND', 'OR', 'XOR']), this.#key(), ...this.#keys()],
      () => ['BITOP', 'NOT', this.#key(), this.#key()],
      () => [pick(['BITFIELD', 'BITFIELD', 'BITFIELD_RO']), this.#key(), ...this.#fields()],
    ])();
  }

  #fields(): string[] {
    const pick = (choices: readonly string[]): string => this.#dice.pick(choices);
    const place = (): string[] => [pick(FIELD_TYPES), pick(BIT_OFFSETS)];
    return Array.from({ length: 1 + this.#dice.below(3) }, () =>
      this.#dice.pick([
        () => ['GET', ...place()],
        () => ['SET', ...place(), pick(STEPS)],
        () => ['INCRBY', ...place(), pick(STEPS)],
        () => ['OVERFLOW', pick(['WRAP', 'SAT', 'FAIL'])],
      ])(),
    ).flat();
  }

  #hyperLogLog(): Words {
    return this.#dice.pick([
      () => ['PFADD', this.#key(), ...this.#keys(), this.#value()],
      () => ['PFCOUNT', ...this.#keys()],
      () => ['PFMERGE', ...this.#keys()],
      () => ['PFDEBUG', this.#dice.pick(['ENCODING', 'DECODE', 'TODENSE']), this.#key()],
    ])();
  }

  #conditions(): string[] {
    return this.#some([['NX'], ['XX'], ['GT'], ['LT']]);
  }

  /** Commands whose replies have known differences, which are looked up by the command's name. */
  #differing(): Words {
    return this.#dice.pick([
      () => ['OBJECT', 'REFCOUNT', this.#key()],
      () => [this.#dice.pick(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']), this.#key()],
      () => ['KEYS', this.#dice.pick(PATTERNS)],
      () => [this.#dice.pick(['SRANDMEMBER', 'HRANDFIELD']), this.#key()],
      () => ['SRANDMEMBER', this.#key(), this.#dice.pick(DRAWS)],
      () => ['HRANDFIELD', this.#key(), this.#dice.pick(DRAWS), ...this.#some([['WITHVALUES']])],
      () => ['SCAN', '0', 'COUNT', '1000', 'MATCH', this.#dice.pick(PATTERNS)],
    ])();
  }

  /** Now and then: an argument less, one twice, one more, another one, or other letters. */
  #perhapsSpoilt(words: Words): Words {
    /* In a transaction Redis 7.0 gives up all of it for an argument that ZRANK takes since 7.2. */
    if (!this.#dice.oneIn(12) || /^Z(REV)?RANK$/.test(words[0] ?? '')) return words;
    const at = this.#dice.below(words.length);
    const word = words[at] ?? '';
    return this.#dice.pick([
      () => words.filter((_, index) => index !== words.length - 1 || index === 0),
      () => [...words.slice(0, at), word, ...words.slice(at)],
      () => [...words, this.#dice.pick(JUNK)],
      () => [...words.slice(0, at), this.#dice.pick(JUNK), ...words.slice(at + 1)],
      () => words.map((each) => each.toLowerCase()),
    ])();
  }
}
