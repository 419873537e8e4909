/** maxmemory-clients: clients that take too much memory are closed, the largest first. */
import { describeLinux, eventually } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';
import { Patient } from './patient';

const MEGABYTE = 1024 * 1024;

describeLinux('maxmemory-clients', () => {
  const patient = Patient.of('--client-reply-pause', '0', '--client-output-buffer-limit', 'pubsub 0 0 0');
  let admin: RawClient;

  beforeAll(async () => {
    admin = await patient.server.connect();
  });
  afterAll(() => admin.close());
  beforeEach(async () => {
    expect(await admin.call('CONFIG', 'RESETSTAT')).toBe('+OK\r\n');
  });
  afterEach(async () => {
    expect(await admin.call('CONFIG', 'SET', 'maxmemory-clients', '0', 'maxmemory', '0')).toBe('+OK\r\n');
  });

  /** The value of `field` in the line of CLIENT LIST that has `name`, or null. */
  async function fieldOf(name: string, field: string): Promise<string | null> {
    const list = (await admin.call('CLIENT', 'LIST')).toString();
    const line = list.split('\n').find((one) => one.includes(` name=${name} `));
    return line === undefined ? null : (new RegExp(`(?:^| )${field}=(\\S*)`).exec(line)?.[1] ?? null);
  }

  async function memoryOf(name: string): Promise<number> {
    return Number((await fieldOf(name, 'tot-mem')) ?? 0);
  }

  async function limit(size: string): Promise<void> {
    expect(await admin.call('CONFIG', 'SET', 'maxmemory-clients', size)).toBe('+OK\r\n');
  }

  async function named(name: string): Promise<RawClient> {
    const client = await patient.server.connect();
    expect(await client.call('CLIENT', 'SETNAME', name)).toBe('+OK\r\n');
    return client;
  }

  /** Half a command, so that what came of it stays with the client. */
  function half(bytes: number): Buffer {
    return Buffer.concat([
      Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${bytes + MEGABYTE}\r\n`),
      Buffer.alloc(bytes, 'q'),
    ]);
  }

  /** Sends the half command, and waits until all of it has come. */
  async function sendHalf(client: RawClient, name: string, bytes: number): Promise<void> {
    const command = half(bytes);
    client.send(command);
    await eventually(
      () => fieldOf(name, 'qbuf'),
      (length) => Number(length) === command.length,
    );
  }

  async function expectEvicted(name: string, evicted: string): Promise<void> {
    await eventually(
      () => fieldOf(name, 'id'),
      (id) => id === null,
    );
    expect(await patient.server.info('evicted_clients')).toBe(evicted);
  }

  test('closes a client with a large query buffer', async () => {
    const client = await named('sender');
    await limit('4mb');
    client.send(half(6 * MEGABYTE));
    await expectEvicted('sender', '1');
    expect(patient.server.output).toMatch(/Evicting client: id=\d+ .*name=sender/);
    client.close();
  });

  test('closes a client that does not read its replies', async () => {
    await admin.call('SETRANGE', 'big', String(MEGABYTE - 1), 'x');
    const client = await named('reader');
    client.pause();
    await limit('8mb');
    for (let i = 0; i < 40; i++) client.send(encode('GET', 'big'));
    await expectEvicted('reader', '1');
    client.close();
  });

  test('closes a subscriber that does not read its messages', async () => {
    const client = await named('listener');
    expect((await client.call('SUBSCRIBE', 'news')).toString()).toContain('subscribe');
    client.pause();
    await limit('8mb');
    const message = 'm'.repeat(MEGABYTE);
    for (let i = 0; i < 40; i++) await admin.call('PUBLISH', 'news', message);
    await expectEvicted('listener', '1');
    client.close();
  });

  test('closes a client with a large transaction', async () => {
    const client = await named('queue');
    await limit('4mb');
    await client.call('MULTI');
    for (let i = 0; i < 6; i++) client.send(encode('SET', 'k', 'v'.repeat(MEGABYTE)));
    await expectEvicted('queue', '1');
    client.close();
  });

  test('closes a client that watches too many keys', async () => {
    const client = await named('watcher');
    await limit('1mb');
    const keys = Array.from({ length: 1000 }, (_, i) => `key:${'k'.repeat(100)}:${i}`);
    for (let i = 0; i < 20; i++) client.send(encode('WATCH', ...keys.map((key) => `${key}:${i}`)));
    await expectEvicted('watcher', '1');
    client.close();
  });

  test('closes a client with too many subscriptions', async () => {
    const client = await named('subscriber');
    await limit('1mb');
    const channels = Array.from({ length: 20_000 }, (_, i) => `channel:${i}`);
    client.send(encode('SUBSCRIBE', ...channels));
    await expectEvicted('subscriber', '1');
    client.close();
  });

  test('begins with the largest, and stops when the others fit', async () => {
    const sizes = [1, 2, 4, 8]; // Buffers double: these are of different size for sure.
    const clients = await Promise.all(sizes.map((size) => named(`size-${size}`)));
    for (const [i, client] of clients.entries()) {
      await sendHalf(client, `size-${sizes[i]}`, (sizes[i] ?? 0) * MEGABYTE);
    }
    // Room for the two small ones, and no more.
    await limit(String((await memoryOf('size-1')) + (await memoryOf('size-2')) + MEGABYTE / 2));
    await expectEvicted('size-8', '2');
    expect(await fieldOf('size-4', 'id')).toBeNull();
    expect(await fieldOf('size-2', 'id')).not.toBeNull();
    expect(await fieldOf('size-1', 'id')).not.toBeNull();
    for (const client of clients) client.close();
  });

  test('spares a client with CLIENT NO-EVICT, and goes on without it', async () => {
    const spared = await named('spared');
    expect(await spared.call('CLIENT', 'NO-EVICT', 'ON')).toBe('+OK\r\n');
    await sendHalf(spared, 'spared', 6 * MEGABYTE);
    // Nothing is gained by closing the others, but Redis closes them all the same.
    expect(await admin.call('CLIENT', 'NO-EVICT', 'ON')).toBe('+OK\r\n');
    const bystander = await named('bystander');
    await limit('4mb');
    await expectEvicted('bystander', '1');
    expect(await fieldOf('spared', 'flags')).toBe('e');
    await limit('0');
    spared.send(Buffer.concat([Buffer.alloc(MEGABYTE, 'q'), Buffer.from('\r\n')]));
    expect((await spared.reply()).toString()).toBe('+OK\r\n');
    bystander.close();
    await spared.end();
    await admin.call('CLIENT', 'NO-EVICT', 'OFF');
  });

  test('is a part of maxmemory when it is a percentage', async () => {
    const client = await named('part');
    await sendHalf(client, 'part', 3 * MEGABYTE);
    await limit('10%');
    await admin.call('CONFIG', 'SET', 'maxmemory', '100mb');
    expect(await fieldOf('part', 'id')).not.toBeNull();
    expect((await admin.call('CONFIG', 'GET', 'maxmemory-clients')).toString()).toContain('10%');
    await admin.call('CONFIG', 'SET', 'maxmemory', '20mb');
    await expectEvicted('part', '1');
    client.close();
  });

  test('compares what INFO tells as mem_clients_normal', async () => {
    const before = Number(await patient.server.info('mem_clients_normal'));
    const client = await named('counted');
    client.send(half(2 * MEGABYTE));
    await eventually(
      async () => Number(await patient.server.info('mem_clients_normal')) - before,
      (grown) => grown >= 2 * MEGABYTE,
    );
    client.close();
    await eventually(
      async () => Number(await patient.server.info('mem_clients_normal')) - before,
      (grown) => grown < MEGABYTE,
    );
    expect(await patient.server.info('evicted_clients')).toBe('0');
  });
});
