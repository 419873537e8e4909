/** The decoder of `cli`, and replies as it prints them. */

import { ReplyError } from '../../lib';
import { jsonOf, plain, pretty } from '../../lib/cli/print';
import { encodeCommand, Push, RespDecoder, type RespValue, Status } from '../../lib/cli/resp';

const WIRE =
  '+OK\r\n-ERR no\r\n:12\r\n:9223372036854775807\r\n,1.5\r\n,inf\r\n,-inf\r\n#t\r\n#f\r\n_\r\n(123\r\n$-1\r\n$0\r\n\r\n' +
  '$5\r\na\r\nb!\r\n=7\r\ntxt:abc\r\n!6\r\nERR no\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n:2\r\n*0\r\n$1\r\nx\r\n' +
  '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n~2\r\n:1\r\n:2\r\n>2\r\n+message\r\n:1\r\n|1\r\n+ttl\r\n:3\r\n:4\r\n%0\r\n';

const VALUES: readonly RespValue[] = [
  new Status('OK'),
  new ReplyError('ERR no'),
  12,
  9223372036854775807n,
  1.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  true,
  false,
  null,
  123n,
  null,
  Buffer.from(''),
  Buffer.from('a\r\nb!'),
  'abc',
  new ReplyError('ERR no'),
  null,
  [],
  [1, [2, []], Buffer.from('x')],
  new Map<RespValue, RespValue>([
    [new Status('a'), 1],
    [new Status('b'), [null]],
  ]),
  new Set([1, 2]),
  new Push([new Status('message'), 1]),
  4,
  new Map(),
];

test('values are the same however the network cuts them', () => {
  const bytes = Buffer.from(WIRE);
  expect(new RespDecoder().push(bytes)).toEqual(VALUES);
  for (const size of [1, 2, 3, 7, 11]) {
    const decoder = new RespDecoder();
    const values: RespValue[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      values.push(...decoder.push(bytes.subarray(at, at + size)));
    }
    expect(values).toEqual(VALUES);
  }
});

test('a megabyte in pieces and a hundred thousand items take no long time', () => {
  const decoder = new RespDecoder();
  const big = Buffer.concat([Buffer.from('*100001\r\n$1048576\r\n'), Buffer.alloc(1048576, 120), Buffer.from('\r\n')]);
  const wire = Buffer.concat([big, Buffer.from(':7\r\n'.repeat(100_000))]);
  const values: RespValue[] = [];
  const started = Date.now();
  for (let at = 0; at < wire.length; at += 1000) {
    values.push(...decoder.push(wire.subarray(at, at + 1000)));
  }
  expect(values).toHaveLength(1);
  expect(values[0]).toHaveLength(100_001);
  expect(Date.now() - started).toBeLessThan(3000);
});

test('what is no RESP is refused', () => {
  expect(() => new RespDecoder().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow('is this a Redis server?');
});

test('commands are encoded by their length in bytes', () => {
  expect(encodeCommand(['SET', 'é', Buffer.from([0])]).toString('latin1')).toBe(
    '*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$1\r\n\x00\r\n',
  );
});

test('replies are shown as redis-cli shows them', () => {
  const paint = (_: string, text: string): string => text;
  const show = (value: RespValue): string => pretty(value, paint);
  expect(show(null)).toBe('(nil)');
  expect(show(new Status('OK'))).toBe('OK');
  expect(show(Buffer.from('a "b"\n'))).toBe('"a \\"b\\"\\n"');
  expect(show(Buffer.from([0xff, 0x41]))).toBe('"\\xffA"');
  expect(show(7)).toBe('(integer) 7');
  expect(show(new ReplyError('ERR no'))).toBe('(error) ERR no');
  expect(show([1, [2, 3], []])).toBe('1) (integer) 1\n2) 1) (integer) 2\n   2) (integer) 3\n3) (empty array)');
  expect(show(new Map([[new Status('k'), 1]]))).toBe('1# k => (integer) 1');
});

test('replies for programs have no decoration', () => {
  const value: RespValue = [Buffer.from('a'), null, 1, new Map([[new Status('k'), [2n]]])];
  expect(plain(value)).toBe('a\n\n1\nk\n2');
  expect(JSON.stringify(jsonOf(value))).toBe('["a",null,1,{"k":["2"]}]');
});
