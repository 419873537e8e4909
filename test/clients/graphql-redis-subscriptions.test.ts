/** Real work through graphql-redis-subscriptions. */
import { buildSchema, parse, subscribe } from 'graphql';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

describeServers('graphql-redis-subscriptions', (server) => {
  const opened = new Opened();

  const open = (): RedisPubSub => {
    const pubsub = new RedisPubSub({ connection: { host: '127.0.0.1', port: server.port } });
    opened.later(() => pubsub.close());
    return pubsub;
  };
  const subscribers = (channel: string, wanted: number) =>
    eventually(
      () => server.ask('PUBSUB', 'NUMSUB', channel),
      (reply) => reply.endsWith(`:${wanted}\r\n`),
    );

  afterEach(() => opened.close());

  test('a GraphQL subscription hears what another process publishes', async () => {
    const [here, there] = [open(), open()];
    const schema = buildSchema('type Query { a: Int } type Subscription { added(min: Int!): Int }');
    const rootValue = { added: () => here.asyncIterableIterator<{ added: number }>('ADDED') };
    const document = parse('subscription { added(min: 2) }');
    const events = await subscribe({ schema, document, rootValue });
    if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
    const first = events.next();
    await subscribers('ADDED', 1);
    for (const added of [1, 2, 3]) await there.publish('ADDED', { added });
    expect(await first).toEqual({ done: false, value: { data: { added: 1 } } });
    expect((await events.next()).value).toEqual({ data: { added: 2 } });
    expect((await events.next()).value).toEqual({ data: { added: 3 } });
    await events.return(undefined);
    await subscribers('ADDED', 0);
  });

  test('patterns, several listeners, and the end of a subscription', async () => {
    const [here, there] = [open(), open()];
    const heard: unknown[] = [];
    const one = await here.subscribe('comments.*', (message) => heard.push(message), { pattern: true });
    const two = await here.subscribe('comments.en', (message) => heard.push(message));
    await there.publish('comments.en', { text: 'hello' });
    await there.publish('comments.de', { text: 'grüß' });
    await eventually(
      () => heard.length,
      (count) => count === 3,
    );
    expect(heard.filter((message) => JSON.stringify(message) === '{"text":"hello"}')).toHaveLength(2);
    here.unsubscribe(two);
    await subscribers('comments.en', 0);
    await there.publish('comments.en', { text: 'again' });
    await eventually(
      () => heard.length,
      (count) => count === 4,
    );
    here.unsubscribe(one);
    expect(heard.at(-1)).toEqual({ text: 'again' });
  });
});
