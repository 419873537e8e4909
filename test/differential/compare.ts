/** Runs the same steps on both servers and compares what comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReply, elementsOf, quote, type RespValue } from '../support/resp';
import type { ReplyClient } from './client';
import type { Step } from './corpus';
import { isDrawnFrom, isKnown, sourceOf } from './known-differences';
import type { Pair } from './peers';

/** What a server says of a command within MULTI. */
const QUEUED = Buffer.from('+QUEUED\r\n');

/** Bytes of a wrong reply that a failure shows. */
const SHOWN = 2000;

/** One client at each of the two servers. */
export class TwinClient {
  /** The commands of the transaction that is open. */
  #queued: (readonly string[])[] = [];

  private constructor(
    readonly ours: ReplyClient,
    readonly redis: ReplyClient,
  ) {}

  static async connect(pair: Pair, protocol: 2 | 3): Promise<TwinClient> {
    const [ours, redis] = await Promise.all([pair.ours.connect(protocol), pair.redis.connect(protocol)]);
    return new TwinClient(ours, redis);
  }

  /** Runs one command on both; throws when the replies differ in a way that is not known. */
  async same(argv: readonly Buffer[], line: string): Promise<Buffer> {
    const [ours, redis] = await Promise.all([this.ours.run(argv), this.redis.run(argv)]);
    const words = argv.map((word) => word.toString('latin1'));
    expectSame(words, this.#queued, line, ours, redis);
    if (!ours.equals(redis)) await this.#compareSources(words, line, ours, redis);
    if (ours.equals(QUEUED)) this.#queued.push(words);
    else if (/^(MULTI|EXEC|DISCARD|RESET)$/i.test(words[0] ?? '')) this.#queued = [];
    return ours;
  }

  /** What each server may choose freely is still to be its own: held against all that it has to choose from. */
  async #compareSources(argv: readonly string[], line: string, ours: Buffer, redis: Buffer): Promise<void> {
    const source = sourceOf(argv);
    if (source === undefined) return;
    const [mine, theirs] = await Promise.all([this.ours.run(source), this.redis.run(source)]);
    expectSame(source, [], `the source of ${line}`, mine, theirs);
    for (const [reply, from] of [
      [ours, mine],
      [redis, theirs],
    ] as const) {
      const [drawn, all] = [decodeReply(reply), decodeReply(from)];
      if (drawn === undefined || all === undefined || !isDrawnFrom(argv, drawn, all)) {
        throw new Error(`not of its source: ${line}\n  ${quote(reply.subarray(0, SHOWN))}`);
      }
    }
  }

  /** Sends bytes to both and compares one reply. */
  async sameRaw(bytes: Buffer, line: string): Promise<void> {
    const [ours, redis] = await Promise.all([this.ours.exchange(bytes), this.redis.exchange(bytes)]);
    expectSame([], [], line, ours, redis);
  }

  /** Runs a command whose reply does not matter. */
  async both(...argv: string[]): Promise<void> {
    await Promise.all([this.ours.run(argv), this.redis.run(argv)]);
  }

  close(): void {
    this.ours.close();
    this.redis.close();
  }
}

function expectSame(
  argv: readonly string[],
  queued: readonly (readonly string[])[],
  line: string,
  ours: Buffer,
  redis: Buffer,
): void {
  if (ours.equals(redis)) return;
  const [mine, theirs] = [decodeReply(ours), decodeReply(redis)];
  if (mine !== undefined && theirs !== undefined) {
    if (argv[0]?.toUpperCase() === 'EXEC' ? sameTransaction(queued, mine, theirs) : isKnown(argv, mine, theirs)) return;
  }
  throw new Error(
    `different replies to: ${line}\n   ours ${quote(ours.subarray(0, SHOWN))}\n  redis ${quote(redis.subarray(0, SHOWN))}`,
  );
}

/** Each reply within EXEC is held against the command that it answers. */
function sameTransaction(queued: readonly (readonly string[])[], ours: RespValue, redis: RespValue): boolean {
  const [mine, theirs] = [elementsOf(ours), elementsOf(redis)];
  if (mine.length !== queued.length || theirs.length !== queued.length) return false;
  return queued.every((argv, index) => {
    const [one, other] = [mine[index], theirs[index]];
    if (one === undefined || other === undefined) return false;
    return JSON.stringify(one) === JSON.stringify(other) || isKnown(argv, one, other);
  });
}

/** Runs a case on two empty servers, with connections of its own. */
export async function compareSteps(pair: Pair, protocol: 2 | 3, steps: readonly Step[]): Promise<void> {
  const clients: TwinClient[] = [];
  const client = async (index: number): Promise<TwinClient> => {
    while (clients.length <= index) clients.push(await TwinClient.connect(pair, protocol));
    return clients[index] as TwinClient;
  };
  try {
    await (await client(0)).both('FLUSHALL');
    for (const step of steps) {
      if (step.kind === 'wait') await sleep(step.ms);
      else if (step.kind === 'raw') await (await client(0)).sameRaw(step.bytes, step.line);
      else await (await client(step.other ? 1 : 0)).same(step.argv, step.line);
    }
  } finally {
    for (const twin of clients) twin.close();
  }
}
