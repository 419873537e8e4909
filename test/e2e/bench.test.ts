/** The benchmark as a user runs it, with loads of a moment. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInPortions } from '../../lib/bench/portions';
import { CommandParser } from '../../lib/bench/pure-js-parser';
import { PureJsStore } from '../../lib/bench/pure-js-store';
import { type BenchReport, type CellReport, type MemoryReport, memoryRows } from '../../lib/bench/report';
import { RequestMaker } from '../../lib/bench/request-maker';
import { compare, estimate } from '../../lib/bench/statistics';
import { judge, parseThreshold } from '../../lib/bench/thresholds';
import { WORKLOADS } from '../../lib/bench/workloads';
import { ServerProcess, spawnProgram } from '../support/server';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const SHORT = ['--rounds', '2', '--seconds', '0.05', '--keys', '500', '--clients', '4', '--memory', '0', '--no-pin'];

function run(...words: readonly string[]): Promise<Ended> {
  const child = spawnProgram(['bench', ...words]);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

async function measure(...words: readonly string[]): Promise<BenchReport> {
  const { code, stdout, stderr } = await run('--json', ...SHORT, ...words);
  if (code !== 0) throw new Error(`bench ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as BenchReport;
}

function cellOf(report: BenchReport, target: string, workload?: string): CellReport {
  const found = report.cases
    .find((each) => workload === undefined || each.workload === workload)
    ?.cells.find((cell) => cell.target === target);
  if (found === undefined) throw new Error(`no ${target} in the report`);
  return found;
}

describe('bench', () => {
  test('measures our targets and the JavaScript ones side by side', async () => {
    const targets = ['ours', 'ours-blocking', 'ours-in-process', 'pure-js', 'pure-js-workers'];
    const report = await measure('--targets', targets.join(','), '--workloads', 'GET,MSET', '--pipeline', '1');
    for (const target of targets) {
      for (const workload of ['GET', 'MSET']) {
        const cell = cellOf(report, target, workload);
        expect({ target, skipped: cell.skipped }).toEqual({ target, skipped: null });
        expect(cell.opsPerSecond?.median).toBeGreaterThan(0);
        expect(cell.cpuNs?.median).toBeGreaterThan(0);
        expect([cell.errors, cell.badValues, cell.unfinished]).toEqual([0, 0, 0]);
        expect(cell.rounds).toHaveLength(2);
      }
    }
    expect(cellOf(report, 'ours').latencyUs?.p99).toBeGreaterThan(0);
    expect(cellOf(report, 'pure-js').opsBeside?.verdict).toBe('no difference shown');
  }, 90_000);

  test('skips with a word what a target does not know', async () => {
    const { code, stdout } = await run(...SHORT, '--targets', 'pure-js', '--workloads', 'ZADD,SET', '--pipeline', '4');
    expect(code).toBe(0);
    expect(stdout).toContain("skipped: ERR unknown command 'ZADD'");
  }, 60_000);

  test('measures a server that runs already and leaves its other keys alone', async () => {
    const server = await ServerProcess.start();
    try {
      await server.ask('SET', 'mine', 'stays');
      const report = await measure(
        ...['--targets', 'pure-js', '--target', `running=127.0.0.1:${server.port}`],
        ...['--workloads', 'SET', '--pipeline', '1', '--rate', '2000'],
      );
      const cell = cellOf(report, 'running');
      expect(cell.opsPerSecond?.median).toBeGreaterThan(0);
      expect(cell.cpuNs).toBeNull();
      expect(await server.ask('GET', 'mine')).toContain('stays');
    } finally {
      await server.stop();
    }
  }, 60_000);

  test('never runs out of what its commands take away', async () => {
    const server = await ServerProcess.start();
    try {
      const targets = ['--targets', 'pure-js', '--target', `running=127.0.0.1:${server.port}`];
      const words = [...targets, '--workloads', 'SPOP,ZPOPMIN', '--pipeline', '16'];
      const report = await measure(...words, '--seconds', '0.1', '--rounds', '1');
      expect(report.cases.map(({ workload }) => workload)).toEqual(['SPOP', 'ZPOPMIN']);
      for (const command of [
        ['SCARD', 'bench:bag'],
        ['ZCARD', 'bench:ranking'],
      ]) {
        const left = Number((await server.ask(...command)).slice(1));
        expect(left).toBeGreaterThanOrEqual(90_000);
        expect(left).toBeLessThan(200_000);
      }
    } finally {
      await server.stop();
    }
  }, 60_000);

  test('ends with 3 when a threshold does not hold, and writes a report that needs nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
    try {
      const html = join(folder, 'report.html');
      const words = ['--targets', 'pure-js', '--workloads', 'PING_MBULK', '--pipeline', '1', '--html', html];
      const { code, stdout } = await run(
        ...SHORT,
        ...words,
        ...['--markdown', '--fail-on', 'pure-js.PING_MBULK.ops>=1', '--fail-on', 'pure-js.PING_MBULK.ops>=1000000000'],
      );
      expect(code).toBe(3);
      expect(stdout).toContain('| `pure-js.PING_MBULK.ops>=1` | holds |');
      expect(stdout).toContain('| `pure-js.PING_MBULK.ops>=1000000000` | **failed** |');
      const page = readFileSync(html, 'utf8');
      expect(page).toContain('uPlot');
      expect(page).not.toMatch(/(src|href)="?https?:/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  test('tells the bytes of a key', async () => {
    const words = ['--targets', 'ours', '--workloads', 'PING_MBULK', '--pipeline', '1', '--memory', '200000'];
    const [memory] = (await measure(...words)).memory;
    expect(memory?.bytesPerKey).toBeGreaterThan(47);
    expect(memory?.bytesPerKey).toBeLessThan(400);
  }, 60_000);

  test.each([
    [['--targets', 'nobody'], "Expected a target, got 'nobody'"],
    [['--workloads', 'NONE'], "Expected a workload, got 'NONE'"],
    [['--spawn', 'x=redis-server'], 'name=command with {port} in it'],
    [['--fail-on', 'ours.GET.speed<=1'], 'Expected `--fail-on` to be like'],
    [['--target', 'ours=127.0.0.1:1'], "There are two targets named 'ours'"],
  ])('refuses %j as wrong usage', async (words, message) => {
    const { code, stderr } = await run(...words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('says that a server does not start, and leaves none behind', async () => {
    const { code, stderr } = await run(...SHORT, '--targets', 'pure-js', '--spawn', 'broken=false {port}');
    expect(code).toBe(1);
    expect(stderr).toContain('broken did not start');
  }, 30_000);
});

describe('the conclusions of bench', () => {
  test('an interval of the median needs six rounds', () => {
    expect(estimate([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, sure: false, rounds: 3 });
    expect(estimate([1, 2, 3, 4, 5, 6])).toMatchObject({ median: 3.5, low: 1, high: 6, sure: true });
    expect(estimate(Array.from({ length: 16 }, (_, i) => i + 1))).toMatchObject({ low: 4, high: 13, sure: true });
    expect(estimate([])).toBeUndefined();
  });

  test('no difference is shown below the noise', () => {
    const noisy = [100, 130, 90, 120, 80, 110, 95, 105];
    const other = [110, 120, 95, 100, 90, 115, 100, 95];
    expect(compare(noisy, other, 0.03)?.verdict).toBe('no difference shown');
    expect(compare(noisy.slice(0, 4), [10, 10, 10, 10], 0.03)?.verdict).toBe('no difference shown');
  });

  test('noise that is common to both does not hide a difference', () => {
    const noisy = [100, 130, 90, 120, 80, 110, 95, 105];
    const double = noisy.map((value, i) => value * (2 + i / 100));
    expect(compare(double, noisy, 0.03)?.verdict).toBe('more');
    expect(compare(noisy, double, 0.03)?.verdict).toBe('less');
    expect(
      compare(
        noisy.map((value) => value * 1.01),
        noisy,
        0.03,
      )?.verdict,
    ).toBe('no difference shown');
  });

  test('a threshold that was not measured does not hold', () => {
    const report = { cases: [], memory: [{ target: 'ours', data: 'STRINGS', bytesPerKey: 60, keys: 1 }] };
    const judged = (text: string): boolean => judge(parseThreshold(text), report as unknown as BenchReport).holds;
    expect(judged('ours.GET@16.cpu_ns<=0.5*redis')).toBe(false);
    expect(judged('ours.bytes_per_key<=70')).toBe(true);
    expect(judged('ours.bytes_per_key<=50')).toBe(false);
    expect(judged('ours.bytes_per_key<redis')).toBe(false);
  });

  test('memory is told and judged by the kind of data', () => {
    const of = (target: string, data: string, bytesPerKey: number): MemoryReport => {
      return { target, data, summary: 'a member', bytesPerKey, keys: 1000 };
    };
    const memory = [
      of('ours', 'STRINGS', 60),
      of('redis', 'STRINGS', 150),
      of('ours', 'ZSET_LARGE', 65),
      of('redis', 'ZSET_LARGE', 130),
    ];
    const judged = (text: string): boolean =>
      judge(parseThreshold(text), { cases: [], memory } as unknown as BenchReport).holds;
    expect(judged('ours.ZSET_LARGE.bytes_per_key<=0.6*redis')).toBe(true);
    expect(judged('ours.ZSET_LARGE.bytes_per_key<=0.4*redis')).toBe(false);
    expect(judged('ours.HASH_LARGE.bytes_per_key<=redis')).toBe(false);
    expect(memoryRows(memory).rows[1]).toEqual(['ZSET_LARGE', '65.0', '130.0 (ours: 0.50 ×)', 'a member']);
  });
});

test('portions of a round are filled before each and counted together', async () => {
  const steps: string[] = [];
  const load = (replies: number, elapsedMs: number) => ({
    replies,
    errors: 0,
    misses: 1,
    badValues: 0,
    unfinished: 0,
    lostConnections: 0,
    elapsedNs: elapsedMs * 1e6,
    firstError: replies === 20 ? 'ERR' : '',
    intervals: Float64Array.of(replies, 1),
    intervalMs: 100,
    latencies: Float64Array.of(1000, replies),
  });
  const measured = await runInPortions(
    50,
    async () => void steps.push('fill'),
    async (leftMs) => {
      steps.push(`run ${leftMs}`);
      return { load: load(steps.length * 5, 20), cpuNs: 7 };
    },
  );
  expect(steps).toEqual(['fill', 'run 50', 'fill', 'run 30', 'fill', 'run 10']);
  expect(measured.cpuNs).toBe(21);
  expect(measured.load).toMatchObject({ replies: 60, misses: 3, elapsedNs: 60e6, firstError: 'ERR', intervalMs: 100 });
  expect([...measured.load.intervals]).toEqual([10, 20, 30, 0]);
  expect([...measured.load.latencies]).toEqual([1000, 10, 1000, 20, 1000, 30]);
});

describe('the JavaScript servers of bench', () => {
  test('read commands however the network cuts them', () => {
    const stream = Buffer.from('*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\nPING\r\n\r\n*1\r\n$4\r\nPING\r\n', 'latin1');
    for (let step = 1; step <= stream.length; step++) {
      const parser = new CommandParser();
      const seen: string[][] = [];
      for (let at = 0; at < stream.length; at += step) {
        parser.push(stream.subarray(at, at + step), (args) => seen.push(args));
      }
      expect(seen).toEqual([['GET', '\r\n'], ['PING'], ['PING']]);
    }
  });

  test('answer as Redis does', () => {
    const store = new PureJsStore();
    const ask = (line: string): string => store.run(line.split(' '));
    expect(ask('SET a 1')).toBe('+OK\r\n');
    expect(ask('incr a')).toBe(':2\r\n');
    expect(ask('GET a')).toBe('$1\r\n2\r\n');
    expect(ask('MSET b x c y')).toBe('+OK\r\n');
    expect(ask('MGET a b none')).toBe('*3\r\n$1\r\n2\r\n$1\r\nx\r\n$-1\r\n');
    expect(ask('GETSET b z')).toBe('$1\r\nx\r\n');
    expect(ask('SET b z PX 1')).toBe('+OK\r\n');
    expect(ask('DEL a b none')).toMatch(/^:[12]\r\n$/);
    expect(ask('INCR c')).toBe('-ERR value is not an integer or out of range\r\n');
    expect(ask('NOPE')).toBe("-ERR unknown command 'NOPE'\r\n");
  });

  test('commands without a socket have keys and values as the native generator makes them', () => {
    const plan = { keys: 'sequential', keyCount: 3, sizes: [{ min: 2, max: 4, weight: 1 }] } as const;
    const maker = new RequestMaker({ ...plan, commands: WORKLOADS.get('SET')?.commands ?? [] });
    for (const id of [0, 1, 2, 0]) {
      const [name, key, value] = maker.next();
      expect([name, key]).toEqual(['SET', `key:00000000000${id}`]);
      expect(value).toMatch(/^x{2,4}$/);
    }
  });
});
