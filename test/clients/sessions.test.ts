/** Real work through connect-redis under express-session, and through Keyv. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import KeyvRedis from '@keyv/redis';
import { RedisStore } from 'connect-redis';
import Keyv from 'keyv';
import { createClient } from 'redis';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

/** What is used here of express and express-session, which come without types. */
interface SessionRequest extends IncomingMessage {
  readonly sessionID: string;
  readonly session: { visits?: number; user?: { name: string }; destroy(done: (error?: unknown) => void): void };
}
interface App extends RequestListener {
  use(handler: unknown): this;
  get(path: string, handler: (request: SessionRequest, response: { json(body: unknown): void }) => void): this;
}

const express: () => App = require('express');
const session: (options: object) => unknown = require('express-session');

describeServers('sessions and caches', (server) => {
  const opened = new Opened();
  const open = () => createClient({ socket: { host: '127.0.0.1', port: server.port } });
  let client: ReturnType<typeof open>;

  beforeEach(async () => {
    client = open();
    await client.connect();
    opened.later(() => client.close());
    await client.flushAll();
  });

  afterEach(() => opened.close());

  describe('connect-redis', () => {
    const serve = async (store: RedisStore): Promise<string> => {
      const app = express()
        .use(
          session({ store, secret: 'keyboard cat', resave: false, saveUninitialized: false, cookie: { maxAge: 5e6 } }),
        )
        .get('/visit', ({ session: mine }, response) => {
          mine.visits = (mine.visits ?? 0) + 1;
          mine.user ??= { name: 'Zoë' };
          response.json({ visits: mine.visits, name: mine.user.name });
        })
        .get('/leave', ({ session: mine }, response) =>
          mine.destroy((error) => response.json({ error: error ?? null })),
        );
      const web = createServer(app).listen(0, '127.0.0.1');
      await new Promise((done) => web.once('listening', done));
      opened.later(() => new Promise((done) => web.close(done).closeAllConnections()));
      return `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    };
    const visit = async (url: string, cookie?: string): Promise<{ body: unknown; cookie: string }> => {
      const response = await fetch(url, cookie === undefined ? {} : { headers: { cookie } });
      return { body: await response.json(), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie ?? '' };
    };

    test('two web servers share their sessions', async () => {
      const [one, two] = [await serve(new RedisStore({ client })), await serve(new RedisStore({ client }))];
      const { body, cookie } = await visit(`${one}/visit`);
      expect(body).toEqual({ visits: 1, name: 'Zoë' });
      expect((await visit(`${two}/visit`, cookie)).body).toEqual({ visits: 2, name: 'Zoë' });
      expect((await visit(`${one}/visit`)).body).toEqual({ visits: 1, name: 'Zoë' });
      const keys = await client.keys('sess:*');
      expect(keys).toHaveLength(2);
      expect(await client.ttl(keys[0] ?? '')).toBeGreaterThan(4000);
      expect((await visit(`${two}/leave`, cookie)).body).toEqual({ error: null });
      expect((await visit(`${one}/visit`, cookie)).body).toEqual({ visits: 1, name: 'Zoë' });
    });

    test('the store counts, lists, touches and clears', async () => {
      const store = new RedisStore({ client, prefix: 'mine:', ttl: 100, scanCount: 10 });
      const data = { cookie: { originalMaxAge: null }, user: 'x' };
      await Promise.all(Array.from({ length: 60 }, (_, i) => store.set(`s${i}`, data)));
      expect(await store.get('s7')).toEqual(data);
      expect(await store.length()).toBe(60);
      expect((await store.ids()).sort()).toEqual(Array.from({ length: 60 }, (_, i) => `s${i}`).sort());
      expect(await store.all()).toHaveLength(60);
      await client.expire('mine:s7', 5);
      await store.touch('s7', data);
      expect(await client.ttl('mine:s7')).toBeGreaterThan(50);
      await store.destroy('s7');
      expect(await store.get('s7')).toBeNull();
      await store.clear();
      expect(await store.length()).toBe(0);
    });
  });

  describe('Keyv', () => {
    const keep = <T>(namespace: string): Keyv<T> => {
      const keyv = new Keyv<T>(new KeyvRedis(`redis://127.0.0.1:${server.port}`), { namespace });
      opened.later(() => keyv.disconnect());
      return keyv;
    };

    test('values of all kinds live in their namespace until they expire', async () => {
      const [one, two] = [keep<unknown>('one'), keep<unknown>('two')];
      await one.set('k', { list: [1, 'zwei', null], nested: { ok: true } });
      await two.set('k', 'other');
      expect(await one.get('k')).toEqual({ list: [1, 'zwei', null], nested: { ok: true } });
      expect(await two.get('k')).toBe('other');
      await one.set('brief', 1, 60);
      expect(await one.has('brief')).toBe(true);
      await eventually(
        () => one.get('brief'),
        (value) => value === undefined,
      );
      expect(await one.delete('k')).toBe(true);
      expect(await one.delete('k')).toBe(false);
      expect(await two.get('k')).toBe('other');
    });

    test('many at once, iterated and cleared', async () => {
      const [one, two] = [keep<number>('one'), keep<number>('two')];
      const entries = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: i }));
      await one.setMany(entries);
      await two.set('stays', 1);
      expect(await one.getMany(['k1', 'nobody', 'k49'])).toEqual([1, undefined, 49]);
      const seen = new Map<string, number>();
      if (one.iterator === undefined) throw new Error('a store that cannot be iterated');
      for await (const [key, value] of one.iterator('one')) seen.set(String(key), Number(value));
      expect(seen.size).toBe(50);
      expect(await one.deleteMany(['k0', 'k1'])).toBe(true);
      await one.clear();
      expect(await client.keys('*')).toEqual(['two::two:stays']);
    });
  });
});
