/** client-output-buffer-limit for those who subscribe and do not read: the hard limit, and the soft one with its seconds. */
import { describeServers } from '../support/both-servers';
import { eventually, sleep } from '../support/server';
import { RawClient } from '../support/wire-client';

const MEGABYTE = 1024 * 1024;
const MESSAGE = 'x'.repeat(MEGABYTE / 4);
/** More than the system keeps of a connection that nobody reads from. */
const SYSTEM = 24 * MEGABYTE;

describeServers('output limits of subscribers', (server) => {
  let admin: RawClient;
  let slow: RawClient;

  /** Bytes that the server keeps for the slow client; undefined when it is gone. */
  async function kept(): Promise<number | undefined> {
    const omem = /name=slow .* omem=(\d+) /.exec(await admin.call('CLIENT', 'LIST'))?.[1];
    return omem === undefined ? undefined : Number(omem);
  }

  async function publish(): Promise<number> {
    return Number((await admin.call('PUBLISH', 'news', MESSAGE)).slice(1));
  }

  /** Publishes until the server keeps more than `bytes` for the slow client. */
  async function publishUntilKept(bytes: number): Promise<void> {
    while (((await kept()) ?? Number.POSITIVE_INFINITY) < bytes) await publish();
    expect(await kept()).toBeDefined();
  }

  async function limits(words: string): Promise<void> {
    expect(await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', words)).toBe('+OK\r\n');
  }

  beforeEach(async () => {
    [admin, slow] = await Promise.all([RawClient.connect(server.port), RawClient.connect(server.port)]);
    await slow.call('CLIENT', 'SETNAME', 'slow');
    await slow.call('SUBSCRIBE', 'news');
    slow.pause();
  });

  afterEach(() => {
    admin.close();
    slow.close();
  });

  test('who passes the hard limit is closed, and only those', async () => {
    await limits('pubsub 2mb 0 0');
    const reader = await RawClient.connect(server.port);
    await reader.call('SUBSCRIBE', 'news');
    let published = 0;
    for (let heard = 2; heard === 2 && published * MESSAGE.length < SYSTEM; published++) {
      heard = await publish();
      expect((await reader.reply()).length).toBeGreaterThan(MESSAGE.length);
    }
    await eventually(kept, (bytes) => bytes === undefined);
    expect(published * MESSAGE.length).toBeLessThan(SYSTEM);
    expect(await publish()).toBe(1);
    expect((await reader.reply()).length).toBeGreaterThan(MESSAGE.length);
    reader.close();
  });

  test('who stays above the soft limit is closed after its seconds, though nobody publishes', async () => {
    await limits('pubsub 64mb 1mb 1');
    const before = Date.now();
    await publishUntilKept(2 * MEGABYTE);
    await eventually(kept, (bytes) => bytes === undefined);
    expect(Date.now() - before).toBeGreaterThan(900);
  });

  test('who is below it again in time is kept', async () => {
    await limits('pubsub 64mb 1mb 2');
    await publishUntilKept(2 * MEGABYTE);
    slow.resume();
    await eventually(kept, (bytes) => bytes === 0);
    await sleep(2500);
    expect(await publish()).toBe(1);
  });

  test('limits of others are not theirs', async () => {
    await limits('normal 1mb 1mb 1 pubsub 0 0 0');
    await publishUntilKept(4 * MEGABYTE);
    await sleep(1500);
    expect(await kept()).toBeGreaterThan(4 * MEGABYTE - 1);
    expect(await publish()).toBe(1);
    await limits('normal 0 0 0');
  });
});
