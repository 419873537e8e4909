'use strict';

// npm run tail-latency [-- --quick] [--check] [--json] [--plot <file.svg>]
//                      [--rounds <n>] [--workers <n,...>] [--port <n>] [--realtime]
//
// What else the server does must not keep a client waiting.  A probe sends 1,700 GETs a
// second at fixed times and measures each from the time it was due, while tables grow, a
// million keys expire at once, ten million keys are flushed, and structures of a million
// members are deleted; then everything beside a control without that.
//
// On a machine that does other things too, the control tells the noise: figures are medians
// of rounds.  --realtime puts server and probe, but not the load beside them, before all
// other processes (Linux, by root): then others' work does not count.  --check: exit code 3
// when a phase's p99.9 is 2 ms or more above its control's.  It measures what is built: npm
// run build comes first.

process.env.UV_THREADPOOL_SIZE ??= '16'; // each load takes one of libuv's threads

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { ROOT } = require('./tools');
const { PROBE_RATE, Probe, load, ready } = require('./tail-latency-probe');
const { plot } = require('./tail-latency-plot');

const REALTIME = 'RLN_TAIL_LATENCY_REALTIME';
const LIMIT_US = 2000;
const PROBE_KEYS = 100_000;
const BUDGET_MS = 170_000;
/** What is measured: the whole thing, and a look at it. */
const FULL = {
  rounds: 3,
  grown: 4_000_000,
  expiring: 1_000_000,
  flushed: 10_000_000,
  members: 1_000_000,
  calmMs: 2000,
};
const QUICK = { ...FULL, rounds: 1, grown: 1_000_000, flushed: 2_000_000, calmMs: 1000 };
/** Words of a command that makes a structure large; drawn from so many that few come twice. */
const MEMBER_SPACE = 1_000_000_000;
const repeat = (words) => Array.from({ length: 100 }, () => words).flat();
const STRUCTURES = {
  set: ['SADD', 'big', ...repeat(['__rand_int__'])],
  hash: ['HSET', 'big', ...repeat(['__rand_int__', 'value'])],
  zset: ['ZADD', 'big', ...repeat(['__rand_int__', '__rand_int__'])],
  list: ['RPUSH', 'big', ...repeat(['__rand_int__'])],
};

const dist = (file) => require(path.join(ROOT, 'dist', file));
const isRealtime = () => process.env[REALTIME] === '1';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Puts the server's own threads first, workers before its background, but not those of Node. */
function putFirst(pid) {
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const name = fs.readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim();
    if (name.startsWith('rln-')) spawnSync('chrt', ['-f', '-p', name === 'rln-cron' ? '5' : '10', thread]);
  }
}

/** Of this process, leaves only the probe's threads first: a garbage collection can wait. */
async function stepBack() {
  const threads = fs.readdirSync('/proc/self/task');
  await fs.promises.stat(ROOT); // starts libuv's threads, and these start the probe's
  for (const thread of threads) spawnSync('chrt', ['-o', '-p', '0', thread]);
}

/** A server of our own with the phases that it is put through. */
class Subject {
  constructor(spawned, port, connection, sizes, workers) {
    Object.assign(this, { spawned, port, connection, sizes, workers });
    this.phases = new Map();
  }

  static async start(port, workers, sizes) {
    const { Spawned } = dist('bench/spawned');
    const { Connection } = dist('cli/connection');
    const words = [process.execPath, path.join(ROOT, 'dist', 'cli', 'main.js'), 'start', '--port', String(port)];
    const more = workers === 0 ? [] : ['--workers', String(workers)];
    const spawned = new Spawned([...words, '--loglevel', 'warning', ...more]);
    process.once('exit', () => spawned.kill());
    await spawned.ready('redis-lite-native', port);
    if (isRealtime()) putFirst(spawned.pid);
    const connection = await Connection.open({ host: '127.0.0.1', port });
    const subject = new Subject(spawned, port, connection, sizes, workers);
    await subject.generate(['SET', '__key__', '__value__'], PROBE_KEYS);
    return subject;
  }

  async stop() {
    this.connection.close();
    await this.spawned.stop();
  }

  call(...words) {
    return this.connection.call(words);
  }

  /** Sends 'count' commands as fast as they are answered, from a process of low priority. */
  generate(words, count, keyCount = count) {
    const request = load(this.port, words, { keyCount, commandCount: count, keys: 'sequential', pipeline: 16 });
    const child = spawn(process.execPath, [__filename, '--generator', JSON.stringify(request)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        process.off('exit', kill);
        code === 0 ? resolve() : reject(new Error(`the generator of ${words[0]} ended with ${code}`));
      });
    });
  }

  /** Probes while 'event' runs and for 'afterMs' from its end. */
  async measure(name, control, event, afterMs) {
    const probe = new Probe(this.port, PROBE_KEYS);
    await probe.started();
    const from = probe.slice();
    await event();
    await pause(afterMs);
    const round = await probe.stop(from);
    const phase = this.phases.get(name) ?? { name, control, rounds: [], series: [] };
    phase.rounds.push(round.percentiles);
    phase.series = round.series; // of the last round, for the plot
    this.phases.set(name, phase);
    process.stderr.write(
      `workers ${this.workers || 'default'}: ${name.padEnd(28)} p99.9 ${round.percentiles.p999.toFixed(0)} µs\n`,
    );
  }

  calm() {
    return this.measure('nothing else', null, () => Promise.resolve(), this.sizes.calmMs);
  }

  /** New keys, then the same commands on the same keys. */
  async grow() {
    const { grown } = this.sizes;
    const set = () => this.generate(['SET', 'g:__id__', '__value__'], grown);
    await this.measure(`SET of ${short(grown)} new keys`, `SET of ${short(grown)} old keys`, set, 200);
    await this.measure(`SET of ${short(grown)} old keys`, null, set, 200);
  }

  /** Adds keys to those that are there, and flushes all. */
  async flush() {
    const { flushed } = this.sizes;
    const here = Number(await this.call('DBSIZE'));
    await this.generate(['SET', 'more:__id__', '__value__'], Math.max(1, flushed - here));
    const flush = async () => {
      await this.call('FLUSHALL', 'ASYNC');
      while (!/lazyfree_pending_objects:0\b/.test(String(await this.call('INFO', 'memory')))) await pause(50);
    };
    await this.measure(`FLUSHALL ASYNC of ${short(flushed)} keys`, 'nothing else', flush, 300);
    await this.generate(['SET', '__key__', '__value__'], PROBE_KEYS);
  }

  /** Measures the calm while the keys wait for their time. */
  async expire() {
    const { expiring } = this.sizes;
    const before = Number(await this.call('DBSIZE'));
    const at = Date.now() + 2500 + expiring / 250;
    await this.generate(['SET', 'x:__id__', '__value__', 'PXAT', String(at)], expiring);
    await this.calm();
    const left = at - Date.now();
    if (left < 200) process.stderr.write('the keys were not loaded in time: a part expired before the probe began\n');
    await pause(Math.max(0, left - 100));
    const expire = async () => {
      while (Number(await this.call('DBSIZE')) > before) await pause(20);
    };
    await this.measure(`expiry of ${short(expiring)} keys at once`, 'nothing else', expire, 300);
  }

  async remove(command, type) {
    const { members } = this.sizes;
    const words = STRUCTURES[type];
    await this.generate(words, Math.ceil((members * 1.001) / 100), MEMBER_SPACE);
    const drop = () => this.call(command, 'big');
    await this.measure(`${command} of a ${type} of ${short(members)}`, 'nothing else', drop, 900);
  }

  async round(isFirst) {
    if (isFirst) {
      await this.grow();
      await this.flush();
    }
    await this.expire();
    for (const type of Object.keys(STRUCTURES)) {
      for (const command of ['DEL', 'UNLINK']) await this.remove(command, type);
    }
  }
}

const short = (count) => (count % 1_000_000 === 0 ? `${count / 1_000_000} M` : String(count));

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Medians of a phase's rounds, beside its control's. */
function summarise(phase, phases) {
  const of = (each, field) => median(each.rounds.map((round) => round[field]));
  const fields = ['p50', 'p99', 'p999', 'max'];
  const row = Object.fromEntries(fields.map((field) => [field, Math.round(of(phase, field))]));
  const control = phase.control === null ? null : phases.get(phase.control);
  const above = control == null ? null : row.p999 - Math.round(of(control, 'p999'));
  return {
    ...{ phase: phase.name, control: phase.control, rounds: phase.rounds.length, ...row },
    ...{ p999AboveControl: above, holds: above === null || above < LIMIT_US, series: phase.series },
  };
}

async function measureServer(port, workers, sizes, until) {
  const subject = await Subject.start(port, workers, sizes);
  try {
    for (let round = 0; round < sizes.rounds; round++) {
      const began = Date.now();
      await subject.round(round === 0);
      if (Date.now() + (Date.now() - began) > until) break;
    }
    return [...subject.phases.values()].map((phase) => summarise(phase, subject.phases));
  } finally {
    await subject.stop();
  }
}

function printTable(report) {
  for (const { workers, phases } of report.servers) {
    console.log(`\nworkers: ${workers === 0 ? 'default' : workers} (latency in µs)`);
    console.log(
      `   ${'phase'.padEnd(34)}${['p50', 'p99', 'p99.9', 'max', 'above'].map((s) => s.padStart(9)).join('')}`,
    );
    for (const row of phases) {
      const numbers = [row.p50, row.p99, row.p999, row.max, row.p999AboveControl ?? ''];
      const mark = row.holds ? '  ' : '!!';
      console.log(`${mark} ${row.phase.padEnd(34)}${numbers.map((n) => String(n).padStart(9)).join('')}`);
    }
  }
}

/** A child's part: the commands that are not measured. */
async function generator(text) {
  if (!isRealtime()) os.setPriority(19); // the probe goes before it
  const result = await dist('bench/load').runLoad(JSON.parse(text));
  if (result.errors > 0) throw new Error(result.firstError);
}

async function main() {
  const { values } = parseArgs({
    options: {
      ...{ quick: { type: 'boolean' }, check: { type: 'boolean' }, json: { type: 'boolean' } },
      ...{ plot: { type: 'string' }, rounds: { type: 'string' }, workers: { type: 'string' } },
      ...{ port: { type: 'string' }, generator: { type: 'string' }, realtime: { type: 'boolean' } },
    },
  });
  if (values.generator !== undefined) return generator(values.generator);
  if (values.realtime && !isRealtime()) {
    const again = ['-f', '10', process.execPath, ...process.argv.slice(1)];
    return spawnSync('chrt', again, { stdio: 'inherit', env: { ...process.env, [REALTIME]: '1' } }).status ?? 1;
  }
  if (!ready()) {
    console.error('tail-latency: there is nothing to measure yet: npm run build');
    return 1;
  }
  if (isRealtime()) await stepBack();
  const sizes = { ...(values.quick ? QUICK : FULL) };
  if (values.rounds !== undefined) sizes.rounds = Number(values.rounds);
  const counts = (values.workers ?? '1,0').split(',').map(Number);
  const began = Date.now();
  const servers = [];
  for (const [index, workers] of counts.entries()) {
    const port = values.port === undefined ? await dist('bench/spawned').freePort() : Number(values.port) + index;
    const until = began + (BUDGET_MS * (index + 1)) / counts.length;
    servers.push({ workers, phases: await measureServer(port, workers, sizes, until) });
  }
  const machine = `${os.cpus()[0]?.model.trim()}, ${os.cpus().length} processors, ${os.type()} ${os.release()}, Node ${process.version}`;
  const report = { machine, rate: PROBE_RATE, limitUs: LIMIT_US, sizes, seconds: (Date.now() - began) / 1000, servers };
  if (values.plot !== undefined) fs.writeFileSync(values.plot, plot(report));
  if (values.json) console.log(JSON.stringify(report));
  else printTable(report);
  return values.check && servers.some(({ phases }) => phases.some(({ holds }) => !holds)) ? 3 : 0;
}

main().then(
  (code) => {
    process.exitCode = code ?? 0;
  },
  (error) => {
    console.error(`tail-latency: ${error.stack}`);
    process.exitCode = 1;
  },
);
