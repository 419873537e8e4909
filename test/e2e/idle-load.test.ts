/** The load of the promise: a million requests beside ten thousand connections that say nothing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describeWith } from '../support/peers';
import { connectMany, ServerProcess } from '../support/server';

const IDLE = 10_000;

describeWith(['redis-benchmark'], 'redis-benchmark beside 10,000 idle connections', () => {
  test('runs a million SETs and GETs, 16 at a time from 50 clients, without an error', async () => {
    const server = await ServerProcess.start(['--maxclients', String(IDLE + 200)]);
    try {
      const idle = await connectMany(server.port, IDLE);
      const words = ['-p', String(server.port), '-t', 'set,get', '-n', '1000000', '-P', '16', '-c', '50', '-q'];
      const { stdout, stderr } = await promisify(execFile)('redis-benchmark', words);
      expect(stdout).toMatch(/SET: \d+(\.\d+)? requests per second/);
      expect(stdout).toMatch(/GET: \d+(\.\d+)? requests per second/);
      expect(`${stdout}${stderr}`).not.toMatch(/error|warning/i);
      expect(Number(await server.info('total_commands_processed'))).toBeGreaterThanOrEqual(2_000_000);
      expect(await server.info('connected_clients')).toBe(String(IDLE + 1));
      expect(idle.filter((client) => client.closed)).toHaveLength(0);
      const answers = await Promise.all(idle.slice(0, 100).map((client) => client.call('PING')));
      expect(new Set(answers)).toEqual(new Set(['+PONG\r\n']));
      for (const client of idle) client.close();
    } finally {
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    }
  }, 120_000);
});
