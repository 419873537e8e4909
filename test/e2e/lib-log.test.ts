/** Log lines in each format, and what a server logs. */

import { createServer } from '../../lib';
import { createLogger } from '../../lib/log/create';
import { logfmtLine } from '../../lib/log/logfmt';
import { LOG_LEVELS, type Logger, levelOfCore } from '../../lib/log/logger';
import { redisLine } from '../../lib/log/redis-format';

const at = new Date(2026, 10, 2, 14, 0, 0, 7);

test('the redis format is that of redis-server', () => {
  expect(redisLine('info', at, {}, 'Ready to accept connections')).toBe(
    `${process.pid}:M 02 Nov 2026 14:00:00.007 * Ready to accept connections\n`,
  );
  const marks = LOG_LEVELS.map((level) => redisLine(level, at, {}, 'x').split(' ')[5]);
  expect(marks).toEqual(['.', '-', '*', '#', '#', '#']);
});

test('logfmt quotes what has to be quoted', () => {
  const line = logfmtLine('warn', at, { client: '127.0.0.1:5', note: 'two words', empty: '' }, 'say "hi"');
  expect(line).toBe(
    `time=${at.toISOString()} level=warn pid=${process.pid} msg="say \\"hi\\"" ` +
      'client=127.0.0.1:5 note="two words" empty=""\n',
  );
});

test('json lines are those of pino', () => {
  const lines: string[] = [];
  createLogger('json', (line) => lines.push(line)).info({ port: 1 }, 'listening');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, pid: process.pid, port: 1, msg: 'listening' });
});

test('the levels of the core map one to one', () => {
  expect([0, 1, 2, 3].map(levelOfCore)).toEqual(['trace', 'debug', 'info', 'warn']);
});

/** A logger that keeps what it is told. */
function keeper(lines: string[]): Logger {
  const keep = (level: string) => (first: object | string, message?: string) => {
    lines.push(`${level} ${typeof first === 'string' ? first : message}`);
  };
  return {
    trace: keep('trace'),
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    fatal: keep('fatal'),
  };
}

test('a server says that it is ready to accept connections, once', async () => {
  const lines: string[] = [];
  const server = createServer({ port: 0, bind: '127.0.0.1', logger: keeper(lines) });
  await server.start();
  await server.stop();
  expect(lines.filter((line) => line === 'info Ready to accept connections')).toHaveLength(1);
});

test('an embedded server is silent unless it is told to log', async () => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const silent = createServer({ port: 0, bind: '127.0.0.1' });
    await silent.start();
    await silent.stop();
    expect(write).not.toHaveBeenCalled();
    const loud = createServer({ port: 0, bind: '127.0.0.1', logFormat: 'logfmt' });
    await loud.start();
    await loud.stop();
    expect(write.mock.calls.map(([line]) => String(line)).join('')).toContain('msg="Ready to accept connections"');
  } finally {
    write.mockRestore();
  }
});
