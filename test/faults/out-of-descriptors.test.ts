/** A server that may open no further file: it waits without spinning, and recovers. */
import { describeLinux, eventually, ServerProcess, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const OPEN_FILES = 96;

describeLinux('without descriptors left', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start(['--maxclients', '1000'], { openFiles: OPEN_FILES });
  });

  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('those who are in are served, the others wait, the processor rests, and all come in later', async () => {
    await server.ask('PING');
    const before = server.descriptors();
    expect(before).toBeLessThan(OPEN_FILES - 20);

    const clients = await Promise.all(Array.from({ length: 150 }, () => RawClient.connect(server.port)));
    for (const client of clients) client.send(encode('PING'));
    await eventually(
      () => server.descriptors(),
      (count) => count >= OPEN_FILES - 1,
    );
    await sleep(200);
    const served = clients.filter((client) => client.unread > 0);
    const waiting = clients.filter((client) => client.unread === 0);
    expect(served.length).toBeGreaterThan(10);
    expect(waiting.length).toBeGreaterThan(10);

    const used = server.cpuMs();
    await sleep(1000);
    expect(server.cpuMs() - used).toBeLessThan(200);
    for (const client of served) expect(await client.reply()).toBe('+PONG\r\n');
    expect(await served[0]?.call('SET', 'still', 'here')).toBe('+OK\r\n');
    expect(server.output).toMatch(/Accepting client connection: accept: Too many open files/);

    for (const client of served) client.close();
    await Promise.all(
      waiting.map(async (client) => {
        expect(await client.reply()).toBe('+PONG\r\n');
        client.close();
      }),
    );
    await eventually(
      () => server.descriptors(),
      (count) => count <= before,
    );
    expect(await server.ask('GET', 'still')).toBe('$4\r\nhere\r\n');
  });
});
