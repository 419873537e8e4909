/** Client-side caching: whole dialogues of several clients, byte for byte as with redis-server. */
import { type RunningServer, startRedisServer } from '../support/both-servers';
import { describeWith } from '../support/peers';
import { ServerProcess } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

/** Who speaks (a, b or c), and what; `$b` is the number of client b. */
type Dialogue = readonly (readonly [speaker: string, command: string])[];

/** All that each client has got, in order; client numbers as names. */
async function hold(port: number, protocols: string, dialogue: Dialogue): Promise<Record<string, string>> {
  const clients = new Map<string, RawClient>();
  const numbers = new Map<string, string>();
  const heard: Record<string, string> = {};
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    const client = await RawClient.connect(port);
    await client.call('HELLO', protocols[at] ?? '3');
    numbers.set(name, (await client.call('CLIENT', 'ID')).slice(1, -2));
    clients.set(name, client);
    heard[name] = '';
  }
  const of = (name: string): RawClient => clients.get(name) as RawClient;
  await of('c').call('FLUSHALL');
  /** Everything up to the answer of a PING that nobody else has sent. */
  const settle = async (name: string, mark: string): Promise<void> => {
    if (!clients.has(name)) return;
    of(name).send(encode('PING', mark));
    for (;;) {
      const reply = await of(name).reply();
      if (reply.includes(mark)) return;
      heard[name] += reply;
    }
  };
  for (const [at, [speaker, command]] of dialogue.entries()) {
    if (command === 'leave') {
      await of(speaker).end();
      clients.delete(speaker);
    } else {
      const lines = command
        .split(' ; ')
        .map((line) => line.replace(/\$([abc])/g, (_, name) => numbers.get(name) ?? ''));
      of(speaker).send(Buffer.concat(lines.map((line) => encode(...line.split(' ')))));
    }
    for (const name of [speaker, 'a', 'b', 'c']) await settle(name, `mark-${at}`);
  }
  for (const client of clients.values()) client.close();
  for (const name of Object.keys(heard)) {
    for (const [other, id] of numbers) heard[name] = (heard[name] ?? '').replaceAll(`:${id}\r\n`, `:<${other}>\r\n`);
  }
  return heard;
}

const DIALOGUES: readonly (readonly [name: string, protocols: string, dialogue: Dialogue])[] = [
  [
    'keys that were read are told once',
    '333',
    [
      ['a', 'CLIENT TRACKING ON'],
      ['a', 'MGET x y z'],
      ['b', 'SET x 1'],
      ['b', 'SET x 2'],
      ['b', 'MSET y 1 w 1'],
      ['a', 'GET x'],
      ['b', 'DEL x z'],
      ['a', 'CLIENT TRACKINGINFO'],
      ['a', 'CLIENT GETREDIR'],
      ['a', 'CLIENT TRACKING OFF'],
      ['a', 'CLIENT TRACKINGINFO'],
    ],
  ],
  [
    'own changes come behind the reply, those of a transaction behind EXEC’s',
    '333',
    [
      ['a', 'CLIENT TRACKING ON'],
      ['a', 'GET x ; GET y ; SET x 1 ; GET x ; SET y 1 ; INCR x'],
      ['a', 'GET x ; GET y ; MULTI ; SET x 2 ; GET z ; SET y 2 ; SET z 3 ; EXEC ; PING'],
      ['a', 'GET x'],
      ['b', 'MULTI ; SET x 5 ; GET x ; EXEC'],
      ['a', 'GET x ; FLUSHALL ; GET x'],
      ['b', 'FLUSHDB'],
    ],
  ],
  [
    'who wants no loop hears of others only',
    '333',
    [
      ['a', 'CLIENT TRACKING ON NOLOOP'],
      ['a', 'GET x ; SET x 1'],
      ['a', 'GET x'],
      ['b', 'SET x 2'],
      ['a', 'CLIENT TRACKINGINFO'],
    ],
  ],
  [
    'opting in and out',
    '333',
    [
      ['a', 'CLIENT TRACKING ON OPTIN'],
      ['a', 'GET x ; CLIENT CACHING YES ; CLIENT TRACKINGINFO ; GET y ; GET z'],
      ['b', 'MSET x 1 y 1 z 1'],
      ['a', 'CLIENT CACHING YES ; MULTI ; GET x ; GET y ; EXEC ; GET z'],
      ['b', 'MSET x 2 y 2 z 2'],
      ['a', 'CLIENT CACHING NO'],
      ['a', 'CLIENT TRACKING ON OPTOUT'],
      ['a', 'CLIENT TRACKING OFF ; CLIENT TRACKING ON OPTOUT ; CLIENT CACHING NO ; GET x ; GET y'],
      ['b', 'MSET x 3 y 3'],
      ['a', 'CLIENT CACHING YES'],
    ],
  ],
  [
    'prefixes are broadcast',
    '333',
    [
      ['a', 'CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:'],
      ['b', 'CLIENT TRACKING ON BCAST NOLOOP'],
      ['c', 'MSET user:2 1 other 1 user:1 1 item:1 1 user:2 2'],
      ['b', 'SET user:1 3'],
      ['a', 'SET user:1 4'],
      ['a', 'CLIENT TRACKING ON BCAST PREFIX user:1'],
      ['a', 'CLIENT TRACKING ON BCAST PREFIX x PREFIX xy'],
      ['a', 'CLIENT TRACKING ON'],
      ['a', 'CLIENT TRACKING ON BCAST PREFIX third ; CLIENT TRACKINGINFO'],
      ['c', 'FLUSHALL'],
      ['a', 'RESET'],
    ],
  ],
  [
    'another client hears, by messages or pushes, until it leaves',
    '323',
    [
      ['a', 'CLIENT TRACKING ON REDIRECT $b'],
      ['a', 'CLIENT GETREDIR ; GET x'],
      ['c', 'SET x 1'],
      ['b', 'SUBSCRIBE __redis__:invalidate'],
      ['a', 'GET x ; GET y'],
      ['c', 'SET x 2'],
      ['a', 'SET y 2'],
      ['a', 'GET x'],
      ['b', 'leave'],
      ['c', 'SET x 3'],
      ['a', 'CLIENT TRACKINGINFO ; GET x ; SET x 4 ; PING'],
      ['a', 'CLIENT TRACKING ON REDIRECT $c ; CLIENT TRACKINGINFO ; GET x'],
      ['a', 'SET x 5'],
    ],
  ],
  [
    'arguments that do not fit',
    '333',
    [
      ['a', 'CLIENT TRACKING ON REDIRECT 99999'],
      ['a', 'CLIENT TRACKING ON REDIRECT $b REDIRECT $c'],
      ['a', 'CLIENT TRACKING ON PREFIX x'],
      ['a', 'CLIENT TRACKING ON BCAST OPTIN'],
      ['a', 'CLIENT TRACKING ON OPTIN OPTOUT'],
      ['a', 'CLIENT TRACKING MAYBE'],
      ['a', 'CLIENT CACHING YES'],
      ['a', 'CLIENT TRACKING ON ; CLIENT CACHING YES ; CLIENT TRACKING ON BCAST'],
    ],
  ],
  [
    'reads of scripts count as the caller’s, and what they change, too',
    '333',
    [
      ['a', 'CLIENT TRACKING ON'],
      ['a', 'EVAL return{redis.call("GET",KEYS[1])} 1 x'],
      ['b', 'EVAL redis.call("SET",KEYS[1],1) 1 x'],
      ['a', 'GET x'],
      ['a', 'EVAL redis.call("SET",KEYS[1],2) 1 x'],
    ],
  ],
];

describeWith(['redis-server'], 'client-side caching', () => {
  let ours: ServerProcess;
  let redis: RunningServer;

  beforeAll(async () => {
    [ours, redis] = await Promise.all([ServerProcess.start(['--workers', '2']), startRedisServer()]);
  });

  afterAll(async () => {
    await redis.stop();
    expect(await ours.stop()).toEqual({ code: 0, signal: null });
  });

  test.each(DIALOGUES)('%s', async (_, protocols, dialogue) => {
    const [mine, theirs] = await Promise.all([
      hold(ours.port, protocols, dialogue),
      hold(redis.port, protocols, dialogue),
    ]);
    expect(mine).toEqual(theirs);
  });

  test('a key that expires is told', async () => {
    const clients = await Promise.all([ours.connect(), ours.connect()]);
    const [a, b] = clients as [RawClient, RawClient];
    await a.call('HELLO', '3');
    await a.call('CLIENT', 'TRACKING', 'ON');
    await b.call('SET', 'x', '1', 'PX', '60');
    await a.call('GET', 'x');
    expect(await a.reply()).toBe('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nx\r\n');
    expect(await ours.info('tracking_clients')).toBe('1');
    for (const client of clients) client.close();
  });

  test('the table has a limit, and what it forgets is told', async () => {
    const a = await ours.connect();
    await a.call('HELLO', '3');
    await a.call('CONFIG', 'SET', 'tracking-table-max-keys', '10');
    await a.call('CLIENT', 'TRACKING', 'ON');
    a.send(Buffer.concat(Array.from({ length: 30 }, (_, i) => encode('GET', `key:${i}`))));
    let told = 0;
    for (let i = 0; i < 50; i++) told += (await a.reply()).startsWith('>') ? 1 : 0;
    expect(told).toBe(20);
    expect(await ours.info('tracking_total_keys')).toBe('10');
    await a.call('CONFIG', 'SET', 'tracking-table-max-keys', '1000000');
    a.close();
  });
});
