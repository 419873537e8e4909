/** Random rules make the same users as on redis-server, and allow them the same. */
import { Dice } from '../support/dice';
import { decodeReply, elementsOf, type RespValue, textOf } from '../support/resp';
import { TwinClient } from './compare';
import { describePair } from './peers';

const ROUNDS = 250;

const CATEGORIES =
  'read write geo dangerous fast slow keyspace string list admin pubsub scripting connection all'.split(' ');
const COMMANDS =
  'get set mget del config config|get config|set client client|id debug select acl acl|whoami lpush lpop xinfo eval nope config|nope memory|usage'.split(
    ' ',
  );
const PATTERNS = ['*', 'a', 'a*', '?b', 'k[12]', 'b', '', 'a b'];
const WORDS =
  'on off nopass resetpass allkeys resetkeys allchannels resetchannels allcommands nocommands clearselectors reset sanitize-payload skip-sanitize-payload'.split(
    ' ',
  );
const ATTEMPTS: readonly (readonly string[])[] = [
  ['get', 'a'],
  ['set', 'ab', '1'],
  ['set', 'b', '1', 'get'],
  ['mget', 'a', 'k1'],
  ['del', 'k2'],
  ['config', 'get', 'x'],
  ['config', 'set', 'x', 'y'],
  ['client', 'id'],
  ['select', '0'],
  ['select', '1'],
  ['debug', 'sleep', '0'],
  ['lpush', 'xb', '1'],
  ['eval', 'x', '1', 'a'],
  ['keys', '*'],
  ['publish', 'a', 'x'],
  ['publish', 'ab', 'x'],
  ['subscribe', 'a', 'b'],
  ['psubscribe', 'a*'],
  ['spublish', 'k1', 'x'],
  ['sort', 'a', 'store', 'b'],
  ['copy', 'a', 'b'],
  ['geoadd', 'a', '1', '1', 'x'],
  ['auth', 'x'],
];

describePair('random rules of users', (pair) => {
  test.each([2, 3] as const)(
    'make the same users in RESP%i',
    async (protocol) => {
      const dice = new Dice();
      const twins = await TwinClient.connect(pair(), protocol);
      const history: string[] = [];
      try {
        await twins.both('ACL', 'DELUSER', 'u');
        for (let round = 0; round < ROUNDS; round++) {
          const rules = Array.from({ length: 1 + dice.below(4) }, () => drawRule(dice));
          history.push(JSON.stringify(rules));
          await same(twins, ['ACL', 'SETUSER', 'u', ...rules]);
          await compareUsers(twins);
          for (const argv of ATTEMPTS) await same(twins, ['ACL', 'DRYRUN', 'u', ...argv]);
        }
      } catch (error) {
        throw new Error(
          `with RLN_TEST_SEED=${dice.seed}: ${(error as Error).message}\nafter\n  ${history.slice(-8).join('\n  ')}`,
        );
      } finally {
        twins.close();
      }
    },
    60_000,
  );
});

function pick<Item>(dice: Dice, items: readonly Item[]): Item {
  return items[dice.below(items.length)] as Item;
}

function drawRule(dice: Dice): string {
  switch (dice.below(11)) {
    case 0:
      return pick(dice, WORDS);
    case 1:
      return `${pick(dice, ['>', '<'])}${pick(dice, ['one', 'two', ''])}`;
    case 2:
      return `${pick(dice, ['#', '!'])}${pick(dice, ['a'.repeat(64), 'b'.repeat(64), 'xyz'])}`;
    case 3:
      return `(${Array.from({ length: dice.below(3) }, () => drawPermission(dice)).join(' ')})`;
    case 4:
      return pick(dice, ['resetkeys', 'resetchannels', 'clearselectors']);
    default:
      return drawPermission(dice);
  }
}

function drawPermission(dice: Dice): string {
  const sign = pick(dice, ['+', '-']);
  switch (dice.below(6)) {
    case 0:
      return `${sign}@${pick(dice, CATEGORIES)}`;
    case 1:
      return `&${pick(dice, PATTERNS)}`;
    case 2:
    case 3:
      return `${pick(dice, ['~', '%R~', '%W~', '%rw~', '%~', '%RR~'])}${pick(dice, PATTERNS)}`;
    case 4:
      return pick(dice, ['+select|0', '+select|1', '+debug|sleep', '+config|get|x', 'allkeys', 'nonsense']);
    default:
      return `${sign}${pick(dice, COMMANDS)}`;
  }
}

function same(twins: TwinClient, words: readonly string[]): Promise<Buffer> {
  return twins.same(
    words.map((word) => Buffer.from(word)),
    words.join(' '),
  );
}

/**
 * All but the rules of commands is told alike.  Those are told as they were given, as Redis 7.2 does, and by
 * redis-server 7.0 as it finds them from what they allow: so ours, given to redis-server, must make it find the same.
 */
async function compareUsers(twins: TwinClient): Promise<void> {
  const [ours, redis] = await Promise.all([twins.ours.run(GETUSER), twins.redis.run(GETUSER)]);
  expect(withoutCommands(decodeReply(ours))).toEqual(withoutCommands(decodeReply(redis)));
  const [own = [], ...others] = commandsOf(decodeReply(ours));
  const selectors = others.map((rules) => `(${rules.join(' ')})`);
  expect((await twins.redis.run(['ACL', 'SETUSER', 'again', 'reset', ...own, ...selectors])).toString()).toBe(
    '+OK\r\n',
  );
  const again = decodeReply(await twins.redis.run(['ACL', 'GETUSER', 'again']));
  const sorted = (reply: RespValue | undefined) => commandsOf(reply).map((rules) => [...rules].sort());
  if (own.length > 0) expect(sorted(again)).toEqual(sorted(decodeReply(redis)));
}

/** The rules of commands of a reply of GETUSER: the user's own, and each selector's. */
function commandsOf(reply: RespValue | undefined): string[][] {
  if (reply === undefined || !Array.isArray(reply.value)) return [];
  const fields = elementsOf(reply);
  return fields.flatMap((field, at) => {
    const name = at % 2 === 1 ? textOf(fields[at - 1]) : undefined;
    if (name === 'commands') return [(textOf(field) ?? '').split(' ')];
    return name === 'selectors' ? elementsOf(field).flatMap(commandsOf) : [];
  });
}

const GETUSER = ['ACL', 'GETUSER', 'u'];

function withoutCommands(reply: RespValue | undefined): unknown {
  if (reply === undefined || !Array.isArray(reply.value)) return reply;
  const fields = elementsOf(reply);
  return fields.map((field, at) => {
    const name = at % 2 === 1 ? textOf(fields[at - 1]) : undefined;
    if (name === 'commands') return textOf(field)?.split(' ')[0];
    return name === 'selectors' ? elementsOf(field).map(withoutCommands) : field;
  });
}
