/** Thousands of random commands get the same replies and leave the same data. */
import { Dice } from '../support/dice';
import { decodeReply, elementsOf, textOf } from '../support/resp';
import { TwinClient } from './compare';
import { DocumentedGenerator, documentedCommands } from './documented-commands';
import { Generator } from './generator';
import { describePair } from './peers';

const STEPS = 6000;
const DATABASES = 3;

describePair('random commands', (pair) => {
  const run = async (protocol: 2 | 3, body: (twins: TwinClient, dice: Dice, history: string[]) => Promise<void>) => {
    const dice = new Dice();
    const twins = await TwinClient.connect(pair(), protocol);
    const history: string[] = [];
    try {
      await twins.both('FLUSHALL');
      await body(twins, dice, history);
      await compareData(twins, history);
    } catch (error) {
      const past = history.slice(-12).join('\n  ');
      throw new Error(`with RLN_TEST_SEED=${dice.seed}: ${(error as Error).message}\nafter\n  ${past}`);
    } finally {
      twins.close();
    }
  };

  test.each([2, 3] as const)(
    'are answered as by redis-server in RESP%i',
    (protocol) => run(protocol, runRandom),
    120_000,
  );

  test.each([2, 3] as const)(
    'of all that are documented are answered as by redis-server in RESP%i',
    (protocol) => run(protocol, runDocumented),
    120_000,
  );
});

async function runRandom(twins: TwinClient, dice: Dice, history: string[]): Promise<void> {
  const generator = new Generator(dice);
  for (let step = 0; step < STEPS; step++) {
    for (const words of generator.next()) await runBoth(twins, words, history);
  }
}

/** Each of redis-server's commands on data, but for those that are named as left out. */
async function runDocumented(twins: TwinClient, dice: Dice, history: string[]): Promise<void> {
  const known = new Set(elementsOf(decodeReply(await twins.ours.run(['COMMAND', 'LIST']))).map(textOf));
  const commands = (await documentedCommands(twins.redis)).filter(({ name }) => known.has(name));
  const generator = new DocumentedGenerator(dice, commands);
  for (let step = 0; step < STEPS; step++) {
    for (const words of generator.next()) await runBoth(twins, words, history);
  }
  expect(commands.filter(({ name }) => !generator.drawn.has(name)).map(({ name }) => name)).toEqual([]);
}

async function runBoth(twins: TwinClient, words: readonly string[], history: string[]): Promise<Buffer> {
  const line = words.map((word) => JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word)).join(' ');
  history.push(line);
  return twins.same(
    words.map((word) => Buffer.from(word, 'latin1')),
    line,
  );
}

/** What is in the first databases, key by key. */
async function compareData(twins: TwinClient, history: string[]): Promise<void> {
  for (let db = 0; db < DATABASES; db++) {
    await runBoth(twins, ['SELECT', String(db)], history);
    const keys = elementsOf(decodeReply(await runBoth(twins, ['KEYS', '*'], history))).map(textOf);
    for (const key of keys.sort()) {
      for (const command of [['TYPE'], ['GET'], ['PTTL'], ['OBJECT', 'ENCODING']]) {
        await runBoth(twins, [...command, key], history);
      }
      await runBoth(twins, ['LRANGE', key, '0', '-1'], history);
      await runBoth(twins, ['SMEMBERS', key], history);
      await runBoth(twins, ['HGETALL', key], history);
      await runBoth(twins, ['ZRANGE', key, '0', '-1', 'WITHSCORES'], history);
      await runBoth(twins, ['XRANGE', key, '-', '+'], history);
      await runBoth(twins, ['XINFO', 'STREAM', key], history);
    }
  }
}
