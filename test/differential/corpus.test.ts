/** Every case of the corpus gets the same replies from us and from redis-server. */
import { describeWith } from '../support/peers';
import { compareSteps, type Pair } from './compare';
import { corpus } from './corpus';
import { startOurs, startRedis } from './peers';

const GROUPS = [
  'string',
  'generic',
  'expire',
  'scan',
  'transactions',
  'connection',
  'errors',
  'command',
  'cluster',
  'acl',
  'memory',
  'latency',
  'server',
  'list',
  'hash',
  'set',
  'bitmap',
  'hyperloglog',
  'blocking',
  'pubsub',
  'stream',
  'zset',
  'geo',
  'scripting',
  'scripting-libraries',
  'scripting-language',
  'dump',
  'sort',
];

describeWith(['redis-server'], 'the same replies as redis-server', () => {
  let pair: Pair;

  beforeAll(async () => {
    const [ours, redis] = await Promise.all([startOurs(), startRedis()]);
    pair = { ours, redis };
  });

  afterAll(async () => {
    await Promise.all([pair?.ours.close(), pair?.redis.close()]);
  });

  describe.each(GROUPS)('%s', (group) => {
    describe.each([2, 3] as const)('in RESP%i', (protocol) => {
      test.each(corpus(group))('$name', ({ steps }) => compareSteps(pair, protocol, steps));
    });
  });
});
