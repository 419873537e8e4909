/** COMMAND INFO of every command that we have is redis-server's, whole. */
import { decodeReply, elementsOf, type RespValue, textOf } from '../support/resp';
import { TwinClient } from './compare';
import { NEWER_COMMANDS } from './newer-commands';
import { describePair } from './peers';

const FLAGS = 2;
const CATEGORIES = 6;
const SUBCOMMANDS = 9;

describePair('COMMAND INFO', (pair) => {
  let twins: TwinClient;
  let names: string[];

  beforeAll(async () => {
    twins = await TwinClient.connect(pair(), 3);
    names = elementsOf(decodeReply(await twins.ours.run(['COMMAND', 'LIST'])))
      .map(textOf)
      .filter((name) => NEWER_COMMANDS[name] === undefined)
      .sort();
  });

  afterAll(() => twins?.close());

  test('lists the commands that every client needs', () => {
    expect(names).toEqual(expect.arrayContaining(['get', 'set', 'del', 'expire', 'scan', 'multi', 'hello', 'object']));
  });

  test('is the same for each of our commands', async () => {
    for (const name of names) {
      const [ours, redis] = await Promise.all([twins.ours, twins.redis].map((client) => info(client, name)));
      expect({ name, info: ours }).toEqual({ name, info: redis });
    }
  });
});

async function info(client: TwinClient['ours'], name: string): Promise<unknown> {
  const [reply] = elementsOf(decodeReply(await client.run(['COMMAND', 'INFO', name])));
  return reply === undefined ? undefined : describeCommand(reply);
}

/** One command, with those parts sorted that have no order of their own. */
function describeCommand(reply: RespValue): unknown {
  return elementsOf(reply).map((part, index) => {
    if (index === FLAGS || index === CATEGORIES) return elementsOf(part).map(textOf).sort();
    if (index !== SUBCOMMANDS) return part;
    const known = elementsOf(part).filter(
      (subcommand) => NEWER_COMMANDS[textOf(elementsOf(subcommand)[0])] === undefined,
    );
    return known.map(describeCommand).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  });
}
