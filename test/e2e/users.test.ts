/** Users of a running server: files of them, and what happens to connections when a user changes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, ServerProcess } from '../support/server';
import type { RawClient } from '../support/wire-client';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rln-users-'));
  file = join(folder, 'users.acl');
});

afterEach(() => {
  delete process.env.REDIS_LITE_CONFIG;
  rmSync(folder, { recursive: true });
});

async function withServer(
  directives: readonly string[],
  body: (admin: RawClient, server: ServerProcess) => Promise<void>,
) {
  const server = await ServerProcess.start(directives);
  const admin = await server.connect();
  try {
    await body(admin, server);
  } finally {
    admin.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
}

/** Replies with lengths of bulks taken out. */
async function lines(client: RawClient, ...words: string[]): Promise<string[]> {
  const reply = await client.call(...words);
  return reply.split('\r\n').filter((line) => line !== '' && !/^[*$%~]\d+$/.test(line));
}

test('a file of users is read at the start, saved, and read anew', async () => {
  writeFileSync(file, 'user alice on nopass ~a* +get\n\nuser default on nopass ~* &* +@all\n');
  await withServer(['--aclfile', file], async (admin, server) => {
    const alice = await server.connect();
    expect(await alice.call('AUTH', 'alice', 'x')).toBe('+OK\r\n');
    expect(await alice.call('GET', 'a')).toBe('$-1\r\n');
    expect(await lines(admin, 'ACL', 'SETUSER', 'bob', 'on', '>pw', '(+set ~b)')).toEqual(['+OK']);
    expect(await lines(admin, 'ACL', 'SAVE')).toEqual(['+OK']);
    expect(
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[1]),
    ).toEqual(['alice', 'bob', 'default', undefined]);
    const saved = await lines(admin, 'ACL', 'LIST');
    expect(await lines(admin, 'ACL', 'DELUSER', 'bob')).toEqual([':1']);
    expect(await lines(admin, 'ACL', 'LOAD')).toEqual(['+OK']);
    expect(await lines(admin, 'ACL', 'LIST')).toEqual(saved);
    // Who is still there goes on, with what the file allows.
    writeFileSync(file, 'user alice on nopass ~b* +get\n');
    expect(await lines(admin, 'ACL', 'LOAD')).toEqual(['+OK']);
    expect(await alice.call('GET', 'b')).toBe('$-1\r\n');
    expect(await alice.call('GET', 'a')).toMatch(/^-NOPERM/);
    writeFileSync(file, 'user carol on nopass\n');
    expect(await lines(admin, 'ACL', 'LOAD')).toEqual(['+OK']);
    expect(await lines(admin, 'ACL', 'USERS')).toEqual(['carol', 'default']);
    await eventually(
      () => alice.closed,
      (closed) => closed,
    );
    alice.close();
  });
});

test('a file with faults tells all of them and changes nothing', async () => {
  writeFileSync(file, 'user alice on nopass ~a* +get\n');
  await withServer(['--aclfile', file], async (admin) => {
    const before = await lines(admin, 'ACL', 'LIST');
    writeFileSync(file, 'user alice +nope\nbad\nuser x (+get\nuser alice on\nuser y word\n');
    const [error = ''] = await lines(admin, 'ACL', 'LOAD');
    expect(error.replaceAll(file, 'F')).toBe(
      "-ERR F:1: Error in applying operation '+nope': Unknown command or category name in ACL. " +
        'F:2 should start with user keyword followed by the username. ' +
        'F:3: Unmatched parenthesis in selector definition.' +
        "WARNING: Duplicate user 'alice' found on line 4. F:5: Syntax error. " +
        'WARNING: ACL errors detected, no change to the previously active ACL rules was performed',
    );
    expect(await lines(admin, 'ACL', 'LIST')).toEqual(before);
    rmSync(file);
    const [missing = ''] = await lines(admin, 'ACL', 'LOAD');
    expect(missing).toBe(`-ERR Error loading ACLs, opening file '${file}': No such file or directory`);
    expect(await lines(admin, 'ACL', 'LIST')).toEqual(before);
  });
});

test('the server does not start with a file that it cannot read or that has faults', async () => {
  await expect(ServerProcess.start(['--aclfile', file])).rejects.toThrow('No such file or directory');
  writeFileSync(file, 'user alice +nope\n');
  await expect(ServerProcess.start(['--aclfile', file])).rejects.toThrow('Unknown command or category name in ACL');
});

test('directives name users too', async () => {
  const config = join(folder, 'redis.conf');
  writeFileSync(config, '# users\nuser alice on ">my pass" ~a +get\nuser default on nopass ~* &* +@all\nhz 20\n');
  process.env.REDIS_LITE_CONFIG = config;
  await withServer([], async (admin, server) => {
    const alice = await server.connect();
    expect(await alice.call('AUTH', 'alice', 'my pass')).toBe('+OK\r\n');
    expect(await alice.call('GET', 'b')).toMatch(/^-NOPERM/);
    alice.close();
    expect(await admin.call('CONFIG', 'GET', 'user')).toBe('*0\r\n');
    expect(await admin.call('CONFIG', 'SET', 'user', 'x')).toMatch(/^-ERR Unknown option/);
  });
  writeFileSync(config, 'user alice on\nuser alice off\n');
  await expect(ServerProcess.start()).rejects.toThrow('Duplicate user found');
  delete process.env.REDIS_LITE_CONFIG;
  await expect(ServerProcess.start(['--user', 'alice +nope'])).rejects.toThrow('Unknown command or category name');
  await expect(ServerProcess.start(['--user', 'alice on', '--aclfile', file])).rejects.toThrow('there can be one');
});

test('a user that goes takes its connections along; one that hears less, those that heard it', async () => {
  await withServer([], async (admin, server) => {
    await admin.call('ACL', 'SETUSER', 'u', 'on', 'nopass', '+@all', '~*', '&a', '&b*');
    const clients = await Promise.all([0, 1, 2, 3].map(() => server.connect()));
    const [plain, one, pattern, kept] = clients as [RawClient, RawClient, RawClient, RawClient];
    for (const client of clients) expect(await client.call('AUTH', 'u', 'x')).toBe('+OK\r\n');
    await one.call('SUBSCRIBE', 'a');
    await pattern.call('PSUBSCRIBE', 'b*');
    await kept.call('SUBSCRIBE', 'bc');
    const connected = async (): Promise<number> =>
      (await admin.call('CLIENT', 'LIST')).split('\n').filter((line) => line.includes(' user=u ')).length;
    expect(await connected()).toBe(4);
    expect(await admin.call('ACL', 'SETUSER', 'u', 'resetchannels', '&b*')).toBe('+OK\r\n');
    await eventually(connected, (count) => count === 3);
    expect(await admin.call('ACL', 'SETUSER', 'u', 'resetchannels', '&bc')).toBe('+OK\r\n');
    await eventually(connected, (count) => count === 2);
    expect(await plain.call('SET', 'k', 'v')).toBe('+OK\r\n');
    expect(await admin.call('ACL', 'SETUSER', 'u', '-set')).toBe('+OK\r\n');
    expect(await plain.call('SET', 'k', 'v')).toMatch(/^-NOPERM/);
    expect(await admin.call('ACL', 'DELUSER', 'u')).toBe(':1\r\n');
    await eventually(connected, (count) => count === 0);
    for (const client of clients) client.close();
  });
});

test('refusals are counted in INFO', async () => {
  await withServer([], async (admin, server) => {
    await admin.call('ACL', 'SETUSER', 'u', 'on', '>p', '+get', '+publish', '~a');
    const client = await server.connect();
    await client.call('AUTH', 'u', 'wrong');
    await client.call('AUTH', 'u', 'p');
    await client.call('SET', 'a', '1');
    await client.call('GET', 'b');
    await client.call('PUBLISH', 'c', 'x');
    expect((await admin.call('INFO', 'stats')).match(/acl_access_denied_\w+:\d+/g)).toEqual([
      'acl_access_denied_auth:1',
      'acl_access_denied_cmd:1',
      'acl_access_denied_key:1',
      'acl_access_denied_channel:1',
    ]);
    client.close();
  });
});
