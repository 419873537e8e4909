/**
 * Commands at random for everything that redis-server documents: COMMAND DOCS tells each
 * command's arguments, and here words are found for them.
 */
import type { Dice } from '../support/dice';
import { decodeReply, elementsOf, type RespValue, textOf } from '../support/resp';
import type { ReplyClient } from './client';
import type { Words } from './generator';

/** An argument as COMMAND DOCS describes it. */
interface Argument {
  readonly name: string;
  readonly type: string;
  readonly token: string | undefined;
  readonly flags: ReadonlySet<string>;
  readonly parts: readonly Argument[];
}

/** A command with its arguments; `name` has the subcommand behind a `|`. */
export interface DocumentedCommand {
  readonly name: string;
  readonly group: string;
  readonly parts: readonly Argument[];
}

const GROUPS = new Set('string list set sorted-set hash stream geo bitmap hyperloglog generic'.split(' '));

/**
 * What answers from dice or a clock, waits, talks to other servers, has a format of its own, or, as
 * XSETID below the greatest deleted id and the consumers of XREADGROUP, leaves other data in 7.0
 * than since 7.2.
 */
const LEFT_OUT = new Set(
  (
    'randomkey xsetid hscan sscan zscan spop srandmember hrandfield zrandmember wait waitaof migrate dump restore keys scan ' +
    'xautoclaim xclaim xpending object|idletime object|freq xinfo|consumers xinfo|groups xgroup|createconsumer xinfo|stream ' +
    'sort sort_ro pfdebug pfselftest ttl pttl expiretime pexpiretime expire pexpire lcs'
  ).split(' '),
);

function field(map: readonly RespValue[], name: string): RespValue | undefined {
  const at = map.findIndex((word, index) => index % 2 === 0 && textOf(word) === name);
  return at < 0 ? undefined : map[at + 1];
}

function readArgument(reply: RespValue): Argument {
  const map = elementsOf(reply);
  const token = field(map, 'token');
  return {
    name: textOf(field(map, 'name')).toLowerCase().replaceAll('_', '-'),
    type: textOf(field(map, 'type')),
    token: token === undefined ? undefined : textOf(token),
    flags: new Set(elementsOf(field(map, 'flags')).map(textOf)),
    parts: elementsOf(field(map, 'arguments')).map(readArgument),
  };
}

function readCommands(reply: RespValue | undefined, group: string): DocumentedCommand[] {
  const map = elementsOf(reply);
  return map.flatMap((word, index) => {
    if (index % 2 !== 0) return [];
    const about = elementsOf(map[index + 1]);
    const ownGroup = textOf(field(about, 'group')) || group;
    const subcommands = readCommands(field(about, 'subcommands'), ownGroup);
    if (subcommands.length > 0) return subcommands;
    const parts = elementsOf(field(about, 'arguments')).map(readArgument);
    return [{ name: textOf(word).toLowerCase(), group: ownGroup, parts }];
  });
}

/** The commands on data that a server documents, without those whose replies can't be compared. */
export async function documentedCommands(client: ReplyClient): Promise<readonly DocumentedCommand[]> {
  const docs = readCommands(decodeReply(await client.run(['COMMAND', 'DOCS'])), '');
  return docs.filter(({ name, group }) => GROUPS.has(group) && !LEFT_OUT.has(name) && !name.endsWith('|help'));
}

const OWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  string: ['s:1', 's:2'],
  bitmap: ['s:1', 's:2'],
  list: ['l:1', 'l:2'],
  set: ['set:1', 'set:2'],
  'sorted-set': ['z:1', 'z:2'],
  geo: ['geo:1', 'z:1'],
  hash: ['h:1', 'h:2'],
  stream: ['x:1', 'x:2'],
  hyperloglog: ['p:1', 'p:2'],
};
const ALL_KEYS = [...new Set(Object.values(OWN_KEYS).flat()), ''];

/** Values that nearly fit, or that only just do. */
const NASTY = [
  'nan',
  'inf',
  '-inf',
  '1e400',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '18446744073709551615',
  '4294967296',
  '',
  ' ',
  'x',
  '1.5',
  '0x10',
  '-1',
  '-0',
  '+1',
  'NOPE',
];

const words = (text: string): readonly string[] => text.split(' ');
const VALUES = ['', 'x', 'hello world', ...words('0 1 -1 42 007 3.25 1e3 a b c d e'), 'y'.repeat(70)];
const MEMBERS = words('1 2 3 -5 70000 a b c d m:1 m:2');
const IDS = words(
  '1-1 1-2 2-1 2-2 3-1 4-1 5 6-* 9-9 0-1 0 0-0 - + ( (2-1 1-2-3 18446744073709551615-18446744073709551615',
);

/** What an argument may be, by its name. */
const BY_NAME: Readonly<Record<string, readonly string[]>> = {
  field: words('f g h i 1 2 -70000'),
  member: MEMBERS,
  member1: MEMBERS,
  member2: MEMBERS,
  element: VALUES,
  pivot: VALUES,
  value: VALUES,
  group: words('g1 g1 g2'),
  groupname: words('g1 g1 g2'),
  consumer: words('c1 c2'),
  consumername: words('c1 c2'),
  seconds: words('100 1000 0 -1 9223372036854775807'),
  milliseconds: words('100000 1000000 0 -5 9223372036854775807'),
  'min-idle-time': words('0'),
  timeout: words('0 1 0.5 -1 x'),
  score: words('0 1 2 3 1.5 -2.25 1e3 inf -inf'),
  longitude: words('13.361389 15.087269 0 1.5 -80 181'),
  latitude: words('38.115556 37.502669 0 1.5 -80 90'),
  radius: words('1 100 1000 20000 0 -1'),
  width: words('1 100 1000 20000 0 -1'),
  height: words('1 100 1000 20000 0 -1'),
  encoding: words('u1 u8 i8 i5 u63 i64 u64 i65 x'),
  'destination-db': words('0 1 16'),
  db: words('0 1 16'),
  id: IDS,
  'last-id': IDS,
  lastid: IDS,
  'max-deleted-id': IDS,
  count: words('1 1 2 3 10 0 -1'),
  threshold: ['1', '2', '3', '10', ...IDS],
  'entries-read': words('0 1 2 -1'),
  'entries-added': words('0 1 5 100'),
};
const WAITS = words('0 1 100 -1 x');
const INTEGERS = words('0 0 1 2 3 5 7 -1 -2 -5 100 -100 1000');
const DOUBLES = words('0 1 2 (1 (3 1.5 -2.25 1e3 -inf +inf 10 -5 100');
const STRINGS = words('0 1 -1 - + [a [b (b [m (1 -inf +inf inf 3 [ (');
const TIMES = words('4102444800 4102444801 1 0 -1 9223372036854775807');
const MILLI_TIMES = words('4102444800000 4102444800500 1 0 -1 9223372036854775807');
const PATTERNS = words('* a* ? [a-c] *1 nothing');

/** What would wait for data, were it not for a transaction around it. */
const MAY_WAIT = /^(b[lrz]|xread)/;

/** Draws a command that is to be run, most of the times a valid one. */
export class DocumentedGenerator {
  readonly #dice: Dice;
  readonly #commands: readonly DocumentedCommand[];
  /** How often each command was drawn. */
  readonly drawn = new Map<string, number>();
  #counted: number | undefined;
  #repeats = 1;
  #ids = false;

  constructor(dice: Dice, commands: readonly DocumentedCommand[]) {
    this.#dice = dice;
    this.#commands = commands;
  }

  /** The next few commands: one, within a transaction if it might wait. */
  next(): readonly Words[] {
    const argv = this.#one();
    return MAY_WAIT.test(argv[0] ?? '') ? [['MULTI'], argv, ['EXEC']] : [argv];
  }

  #one(): Words {
    const command = this.#dice.pick(this.#commands);
    this.drawn.set(command.name, (this.drawn.get(command.name) ?? 0) + 1);
    const argv = command.name.split('|');
    this.#counted = undefined;
    this.#ids = false;
    this.#add(argv, command, command.parts);
    return this.#dice.oneIn(25) && !MAY_WAIT.test(command.name) ? this.#spoilt(argv) : argv;
  }

  #add(argv: string[], command: DocumentedCommand, parts: readonly Argument[]): void {
    for (const part of parts) {
      if (part.flags.has('optional') && !this.#dice.oneIn(3)) continue;
      if (part.token !== undefined) argv.push(part.token);
      if (part.flags.has('multiple')) this.#addMany(argv, command, part);
      else this.#addOne(argv, command, part);
    }
  }

  #addMany(argv: string[], command: DocumentedCommand, part: Argument): void {
    let times = 1;
    while (times < 5 && this.#dice.oneIn(2)) times++;
    if (this.#ids && /^id/i.test(part.name) && !this.#dice.oneIn(30)) times = this.#repeats;
    this.#ids = part.type === 'key';
    this.#repeats = times;
    if (this.#counted !== undefined && !this.#dice.oneIn(30)) argv[this.#counted] = String(times);
    this.#counted = undefined;
    for (let i = 0; i < times; i++) {
      if (i > 0 && part.token !== undefined && part.flags.has('multiple_token')) argv.push(part.token);
      this.#addOne(argv, command, part);
    }
  }

  #addOne(argv: string[], command: DocumentedCommand, part: Argument): void {
    switch (part.type) {
      case 'pure-token':
        return;
      case 'oneof': {
        const choice = this.#choose(command, part);
        if (choice.token !== undefined) argv.push(choice.token);
        this.#addOne(argv, command, choice);
        return;
      }
      case 'block':
        this.#add(argv, command, part.parts);
        return;
      default:
        if (/^num/.test(part.name)) this.#counted = argv.length;
        argv.push(this.#word(command, part));
    }
  }

  /** XADD with an id of the clock's is left out: the two servers have two clocks. */
  #choose(command: DocumentedCommand, part: Argument): Argument {
    const choices = part.parts.filter(({ token }) => command.name !== 'xadd' || token !== '*');
    return this.#dice.pick(choices);
  }

  #word(command: DocumentedCommand, part: Argument): string {
    // The greatest time-out overflows in redis-server 7.0.
    if (part.token === 'BLOCK' || part.name === 'timeout') return this.#dice.pick(WAITS);
    if (this.#dice.oneIn(40)) return this.#dice.pick(NASTY);
    if (part.type === 'key') {
      const own = OWN_KEYS[command.group];
      return this.#dice.pick(own === undefined || this.#dice.oneIn(8) ? ALL_KEYS : own);
    }
    if (part.type === 'unix-time') return this.#dice.pick(part.name.includes('milli') ? MILLI_TIMES : TIMES);
    if (part.type === 'pattern') return this.#dice.pick(PATTERNS);
    if (command.group === 'stream' && /^(start|end|min|max)$/.test(part.name)) return this.#dice.pick(IDS);
    if (command.name === 'xreadgroup' && /^id/i.test(part.name) && !this.#dice.oneIn(3)) return '>';
    const named = BY_NAME[part.name];
    if (named !== undefined) return this.#dice.pick(named);
    if (part.type === 'integer') return this.#dice.pick(INTEGERS);
    return this.#dice.pick(part.type === 'double' ? DOUBLES : STRINGS);
  }

  /** An argument less, one more, or another one. */
  #spoilt(argv: readonly string[]): Words {
    const at = 1 + this.#dice.below(Math.max(1, argv.length - 1));
    return this.#dice.pick([
      () => (argv.length > 1 ? argv.slice(0, -1) : argv),
      () => [...argv, this.#dice.pick(NASTY)],
      () => [...argv.slice(0, at), this.#dice.pick(NASTY), ...argv.slice(at + 1)],
    ])();
  }
}
