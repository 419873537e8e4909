'use strict';

// npm run queue-load [-- --jobs <n>] [--concurrency <n>] [--rounds <n>] [--check] [--json]
//
// What a queue costs the server: BullMQ adds 10,000 jobs and then processes them, 50 at a
// time, against this server and redis-server in interleaved rounds.  Each server has one
// processor of its own and each round a client process of its own, on the others.  It
// reports jobs per second, from the first job added to the last one done, and the server's
// processor time (user and system) per job; medians of the rounds.
//
// --check: exit code 3 unless this server does at least redis-server's jobs per second with
// at most half of its processor time.  It measures what is built: npm run build comes first.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { ROOT, findProgram } = require('./tools');

const BAR_JOBS = 1.0;
const BAR_CPU = 0.5;
const CHUNK = 500;
const TICK_MS = 10; // getconf CLK_TCK of every Linux that Node runs on

const dist = (file) => require(path.join(ROOT, 'dist', file));

/** Milliseconds of processor time that a process has used. */
function cpuOf(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * TICK_MS, system: Number(fields[12]) * TICK_MS };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The client's part: adds the jobs, processes them, and tells how long each took. */
async function work({ port, jobs, concurrency }) {
  const { Queue, Worker } = require('bullmq');
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const queue = new Queue('load', { connection });
  await queue.waitUntilReady();
  const began = performance.now();
  for (let first = 0; first < jobs; first += CHUNK) {
    const count = Math.min(CHUNK, jobs - first);
    const data = (n) => ({ name: 'job', data: { n: first + n, text: 'what there is to do, in some words' } });
    await queue.addBulk(Array.from({ length: count }, (_, n) => data(n)));
  }
  const added = performance.now();
  const worker = new Worker('load', async (job) => job.data.n, { connection, concurrency, autorun: false });
  let done = 0;
  const all = new Promise((resolve, reject) => {
    worker.on('completed', () => {
      if (++done === jobs) resolve();
    });
    worker.on('failed', (_job, error) => reject(error));
    worker.on('error', reject);
  });
  const running = worker.run();
  await all;
  const processed = performance.now();
  const counts = await queue.getJobCounts('completed', 'failed', 'waiting', 'active');
  await worker.close();
  await running;
  await queue.close();
  if (counts.completed !== jobs) throw new Error(`not all jobs were completed: ${JSON.stringify(counts)}`);
  process.send({ addMs: added - began, processMs: processed - added });
}

/** Runs the client in a process of its own. */
function client(pinning, load) {
  const { pinnedWords } = dist('bench/pinning');
  const elsewhere = pinning === null ? null : { server: pinning.generator };
  const [program, ...words] = pinnedWords(elsewhere, [process.execPath, __filename, '--load', JSON.stringify(load)]);
  const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return new Promise((resolve, reject) => {
    let times;
    child.once('message', (message) => {
      times = message;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('exit', kill);
      code === 0 && times !== undefined ? resolve(times) : reject(new Error(`the client ended with ${code}`));
    });
  });
}

const SERVERS = {
  ours: (port) => [
    ...[process.execPath, path.join(ROOT, 'dist', 'cli', 'main.js'), 'start', '--port', String(port)],
    ...['--workers', '1', '--loglevel', 'warning'],
  ],
  'redis-server': (port) => ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', ''],
};

/** One load against a server that was started for it. */
async function round(name, pinning, load) {
  const { freePort, Spawned } = dist('bench/spawned');
  const { pinnedWords } = dist('bench/pinning');
  const port = await freePort();
  const spawned = new Spawned(pinnedWords(pinning, SERVERS[name](port)));
  const kill = () => spawned.kill();
  process.once('exit', kill);
  try {
    await spawned.ready(name, port);
    const before = cpuOf(spawned.pid);
    const { addMs, processMs } = await client(pinning, { ...load, port });
    const after = cpuOf(spawned.pid);
    return {
      jobsPerSecond: load.jobs / ((addMs + processMs) / 1000),
      addedPerSecond: load.jobs / (addMs / 1000),
      processedPerSecond: load.jobs / (processMs / 1000),
      userUs: ((after.user - before.user) * 1000) / load.jobs,
      systemUs: ((after.system - before.system) * 1000) / load.jobs,
    };
  } finally {
    process.off('exit', kill);
    await spawned.stop();
  }
}

function summarise(rounds) {
  const of = (field) => median(rounds.map(field));
  return {
    jobsPerSecond: Math.round(of((each) => each.jobsPerSecond)),
    addedPerSecond: Math.round(of((each) => each.addedPerSecond)),
    processedPerSecond: Math.round(of((each) => each.processedPerSecond)),
    cpuUs: of((each) => each.userUs + each.systemUs),
    userUs: of((each) => each.userUs),
    systemUs: of((each) => each.systemUs),
    rounds,
  };
}

function print({ ours, redis, jobsRatio, cpuRatio, holds }) {
  const rows = [
    ['', 'jobs/s', 'added/s', 'processed/s', 'server µs/job', 'user', 'system'],
    ...[
      ['ours', ours],
      ['redis-server', redis],
    ].map(([name, of]) => [
      name,
      ...[of.jobsPerSecond, of.addedPerSecond, of.processedPerSecond],
      ...[of.cpuUs, of.userUs, of.systemUs].map((us) => us.toFixed(1)),
    ]),
  ];
  for (const row of rows) {
    console.log(row.map((cell, i) => (i === 0 ? String(cell).padEnd(14) : String(cell).padStart(14))).join(''));
  }
  const verdict = (fine) => (fine ? 'holds' : 'MISSED');
  console.log(
    `jobs per second: ${jobsRatio.toFixed(2)} of redis-server's (bar: at least ${BAR_JOBS}): ${verdict(holds.jobs)}`,
  );
  console.log(
    `server CPU per job: ${cpuRatio.toFixed(2)} of redis-server's (bar: at most ${BAR_CPU}): ${verdict(holds.cpu)}`,
  );
}

async function main() {
  const { values } = parseArgs({
    options: {
      ...{ jobs: { type: 'string', default: '10000' }, concurrency: { type: 'string', default: '50' } },
      ...{ rounds: { type: 'string', default: '3' }, check: { type: 'boolean' }, json: { type: 'boolean' } },
      load: { type: 'string' },
    },
  });
  if (values.load !== undefined) return work(JSON.parse(values.load));
  const missing =
    process.platform !== 'linux'
      ? 'this reads /proc, which is of Linux'
      : !fs.existsSync(path.join(ROOT, 'dist', 'cli', 'main.js'))
        ? 'there is nothing to measure yet: npm run build'
        : findProgram('redis-server') === null
          ? 'there is no redis-server on PATH'
          : null;
  if (missing !== null) {
    console.error(`queue-load: ${missing}`);
    return 1;
  }
  const pinning = dist('bench/pinning').choosePinning(1);
  if (pinning === null) console.error('queue-load: nothing is pinned: that takes taskset and two processors');
  const load = { jobs: Number(values.jobs), concurrency: Number(values.concurrency) };
  const rounds = { ours: [], 'redis-server': [] };
  for (let n = 0; n < Number(values.rounds); n++) {
    const names = Object.keys(rounds);
    for (const name of n % 2 === 0 ? names : names.reverse()) {
      const result = await round(name, pinning, load);
      rounds[name].push(result);
      const us = result.userUs + result.systemUs;
      console.error(`round ${n + 1}, ${name}: ${result.jobsPerSecond.toFixed(0)} jobs/s, ${us.toFixed(1)} µs/job`);
    }
  }
  const [ours, redis] = [summarise(rounds.ours), summarise(rounds['redis-server'])];
  const jobsRatio = ours.jobsPerSecond / redis.jobsPerSecond;
  const cpuRatio = ours.cpuUs / redis.cpuUs;
  const holds = { jobs: jobsRatio >= BAR_JOBS, cpu: cpuRatio <= BAR_CPU };
  const machine = `${os.cpus()[0]?.model.trim()}, ${os.cpus().length} processors, Node ${process.version}`;
  const report = { machine, ...load, ours, redis, jobsRatio, cpuRatio, holds };
  if (values.json) console.log(JSON.stringify(report));
  else print(report);
  return values.check && !(holds.jobs && holds.cpu) ? 3 : 0;
}

main().then(
  (code) => {
    process.exitCode = code ?? 0;
  },
  (error) => {
    console.error(`queue-load: ${error.stack}`);
    process.exitCode = 1;
  },
);
