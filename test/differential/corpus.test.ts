/** Every case of the corpus gets the same replies from us and from redis-server. */
import { compareSteps } from './compare';
import { corpus } from './corpus';
import { describePair } from './peers';

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

describePair('the same replies as redis-server', (pair) => {
  describe.each(GROUPS)('%s', (group) => {
    describe.each([2, 3] as const)('in RESP%i', (protocol) => {
      test.each(corpus(group))('$name', ({ steps }) => compareSteps(pair(), protocol, steps));
    });
  });
});
