/** `bench`: measures servers side by side. */

import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { KEY_ORDERS, type KeyOrder, type ValueSize } from '../bench/load';
import { COLLECTION_CASES, type MemoryCase, stringsCase } from '../bench/memory-cases';
import type { BenchReport } from '../bench/report';
import { WORKLOAD_GROUPS, WORKLOADS, type Workload } from '../bench/workloads';
import { UsageError } from './exit';
import { painterFor } from './style';

/** Exit code when a threshold of `--fail-on` does not hold. */
export const THRESHOLD_EXIT_CODE = 3;

const EXAMPLES = `
Targets: ours, ours-blocking, ours-in-process, pure-js, pure-js-workers, js-redis-server,
redis-dev-server, redis, and those that --target and --spawn add.  Comparisons are with the
first one.  A server of --target is not emptied: keys named key:*, counter:* and bench:* are
written to it and stay.

Thresholds: <target>.<workload>[@<pipeline>].<ops|cpu_ns|p50_us|p99_us|p999_us> or
<target>[.<data>].bytes_per_key, an operator, and a number, a target or <number>*<target>.

Examples:
  $ redis-lite-native bench --quick
  $ redis-lite-native bench --workloads GET,SET,YCSB_A --pipeline 1,16 --html report.html
  $ redis-lite-native bench --targets ours --spawn other='redis-server --port {port}'
  $ redis-lite-native bench --targets ours --target far=10.0.0.7:6379 --rate 20000
  $ redis-lite-native bench --targets ours,redis --fail-on 'ours.GET.cpu_ns<=0.5*redis'
  $ redis-lite-native bench --targets ours,redis --memory collections
  $ redis-lite-native bench --list

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 a threshold does not hold.
`;

interface BenchOptions {
  readonly targets: readonly string[];
  readonly target: readonly string[];
  readonly spawn: readonly string[];
  readonly workloads: readonly string[];
  readonly pipeline: readonly number[];
  readonly clients: number;
  readonly idle: number;
  readonly threads?: number;
  readonly keys: number;
  readonly sizes?: readonly ValueSize[];
  readonly distribution?: KeyOrder;
  readonly rate: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly margin: number;
  readonly serverCpus: number;
  readonly pin: boolean;
  readonly memory: readonly MemoryCase[];
  readonly password?: string;
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly html?: string;
  readonly failOn: readonly string[];
  readonly list?: boolean;
}

function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high)) {
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    }
    return value;
  };
}

function countBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = numberBetween(low, high)(text);
    if (!Number.isInteger(value)) {
      throw new InvalidArgumentError('Expected a whole number.');
    }
    return value;
  };
}

function words(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

function sizes(text: string): ValueSize[] {
  return words(text).map((word) => {
    const [, min, max, weight] = /^(\d{1,8})(?:-(\d{1,8}))?(?::(\d{1,6}))?$/.exec(word) ?? [];
    if (min === undefined || Number(max ?? min) < Number(min) || Number(weight ?? 1) === 0) {
      throw new InvalidArgumentError('Expected sizes such as 32, 10-100 or 32:9,1024:1 (size:weight).');
    }
    return { min: Number(min), max: Number(max ?? min), weight: Number(weight ?? 1) };
  });
}

function order(text: string): KeyOrder {
  const found = KEY_ORDERS.find((name) => name === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`Expected one of ${KEY_ORDERS.join(', ')}.`);
  }
  return found;
}

function pipelines(text: string): number[] {
  return words(text).map(countBetween(1, 4096));
}

function memoryCases(text: string): readonly MemoryCase[] {
  if (text === 'collections') {
    return COLLECTION_CASES;
  }
  const keys = countBetween(0, 1e8)(text);
  return keys === 0 ? [] : [stringsCase(keys)];
}

function workloadsOf(names: readonly string[]): Workload[] {
  return names
    .flatMap((name) => WORKLOAD_GROUPS.get(name.toLowerCase()) ?? [name])
    .map((name) => {
      const workload = WORKLOADS.get(name.toUpperCase());
      if (workload === undefined) {
        throw new UsageError(`Expected a workload, got '${name}': --list shows them.`);
      }
      return workload;
    });
}

function listAll(): string {
  const { TARGETS } = require('../bench/target-catalogue') as typeof import('../bench/target-catalogue');
  const targets = [...TARGETS.values()].map(({ name, summary, unavailable }) => {
    const why = unavailable();
    return `  ${name.padEnd(18)}${summary}${why === null ? '' : `  (not here: ${why})`}`;
  });
  const workloads = [...WORKLOADS.values()].map(({ name, summary }) => `  ${name.padEnd(18)}${summary.slice(0, 100)}`);
  const groups = [...WORKLOAD_GROUPS].map(([name, members]) => `  ${name.padEnd(18)}${members.length} workloads`);
  return ['Targets:', ...targets, '', 'Workloads:', ...workloads, '', 'Groups of workloads:', ...groups, ''].join('\n');
}

/** `--quick` changes what was not asked for: some 20 seconds in all. */
function withPreset(options: BenchOptions, command: Command): BenchOptions {
  if (options.quick !== true) {
    return options;
  }
  const quick: Partial<BenchOptions> = {
    targets: ['ours', 'pure-js', 'redis'],
    workloads: ['GET', 'SET'],
    pipeline: [1, 16],
    rounds: 6,
    seconds: 0.15,
    keys: 20_000,
    memory: [],
  };
  const open = Object.entries(quick).filter(([name]) => command.getOptionValueSource(name) !== 'cli');
  return { ...options, ...Object.fromEntries(open) };
}

function print(report: BenchReport, options: BenchOptions): void {
  if (options.html !== undefined) {
    const { htmlReport } = require('../bench/report-html') as typeof import('../bench/report-html');
    writeFileSync(options.html, htmlReport(report));
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else if (options.markdown === true) {
    const { markdownReport } = require('../bench/report-markdown') as typeof import('../bench/report-markdown');
    process.stdout.write(markdownReport(report));
  } else {
    const { tableReport } = require('../bench/report-table') as typeof import('../bench/report-table');
    process.stdout.write(tableReport(report, painterFor(process.stdout)));
  }
}

async function run(given: BenchOptions, command: Command): Promise<void> {
  if (given.list === true) {
    process.stdout.write(listAll());
    return;
  }
  const options = withPreset(given, command);
  // Memory of collections takes its time: it comes alone, unless workloads are named too.
  const alone = options.memory === COLLECTION_CASES && command.getOptionValueSource('workloads') !== 'cli';
  const catalogue = require('../bench/target-catalogue') as typeof import('../bench/target-catalogue');
  const { parseThreshold } = require('../bench/thresholds') as typeof import('../bench/thresholds');
  const named = options.targets.map((name) => {
    const spec = catalogue.TARGETS.get(name);
    if (spec === undefined) {
      throw new UsageError(`Expected a target, got '${name}': --list shows them.`);
    }
    return spec;
  });
  const added = [...options.target.map(catalogue.addressTarget), ...options.spawn.map(catalogue.commandTarget)];
  const targets = [...named, ...added];
  const twice = targets.find(({ name }, i) => targets.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) {
    throw new UsageError(`There are two targets named '${twice.name}'.`);
  }
  const { bench } = require('../bench/bench') as typeof import('../bench/bench');
  const report = await bench({
    command: `redis-lite-native ${process.argv.slice(2).join(' ')}`,
    targets,
    workloads: alone ? [] : workloadsOf(options.workloads),
    pipelines: options.pipeline,
    load: {
      connections: options.clients,
      idleConnections: options.idle,
      keyCount: options.keys,
      rate: options.rate,
      keys: options.distribution ?? null,
      sizes: options.sizes ?? null,
    },
    threads: options.threads ?? null,
    rounds: { rounds: options.rounds, roundMs: Math.round(options.seconds * 1000), margin: options.margin / 100 },
    serverCpus: options.serverCpus,
    pin: options.pin,
    password: options.password ?? process.env['REDISCLI_AUTH'] ?? null,
    memory: options.memory,
    thresholds: options.failOn.map(parseThreshold),
    live: process.stderr.isTTY === true,
    paint: painterFor(process.stderr),
  });
  print(report, options);
  if (report.thresholds.some(({ holds }) => !holds)) {
    process.exitCode = THRESHOLD_EXIT_CODE;
  }
}

/** Adds `bench` to the program. */
export function addBench(program: Command): void {
  program
    .command('bench')
    .summary('measure servers side by side')
    .description('Measure this server beside others, in interleaved rounds, and say which differences are real.')
    .option('--targets <names>', 'what to measure; the first is compared with', words, ['ours', 'pure-js', 'redis'])
    .option('--target <name=host:port>', 'add a server that runs already (repeatable)', collect, [])
    .option('--spawn <name=command>', 'add a command with {port} in it that starts a server (repeatable)', collect, [])
    .option('--workloads <names>', 'workloads or groups of them', words, ['PING_MBULK', 'GET', 'SET', 'INCR', 'MSET'])
    .option('-P, --pipeline <depths>', 'commands on their way on a connection', pipelines, [1, 16])
    .option('-c, --clients <count>', 'connections', countBetween(1, 10_000), 50)
    .option('--idle <count>', 'idle connections beside them', countBetween(0, 20_000), 0)
    .option('--threads <count>', 'threads of the generator', countBetween(1, 64))
    .option('--keys <count>', 'keys', countBetween(1, 1e9), 100_000)
    .option('--sizes <sizes>', 'sizes of values: 32, 10-100 or 32:9,1024:1', sizes)
    .option('--distribution <order>', `order of keys: ${KEY_ORDERS.join(', ')}`, order)
    .option('--rate <count>', 'open loop: commands a second; 0 for a closed one', numberBetween(0, 1e8), 0)
    .option('--rounds <count>', 'rounds', countBetween(1, 1000), 16)
    .option('--seconds <time>', 'length of a round', numberBetween(0.02, 600), 0.5)
    .option('--margin <percent>', 'differences up to this are none', numberBetween(0, 100), 3)
    .option('--server-cpus <count>', 'processors, and threads, of a server', countBetween(1, 64), 1)
    .option('--no-pin', 'let servers and generator share all processors')
    .addOption(
      new Option(
        '--memory <what>',
        'bytes a key: of so many strings (0: none), or "collections", alone unless workloads are named',
      )
        .argParser(memoryCases)
        .default(memoryCases('200000'), '200000'),
    )
    .option('-a, --password <password>', 'password for servers of --target')
    .option('--quick', 'a short benchmark, below 30 seconds')
    .option('--json', 'print JSON')
    .option('--markdown', 'print Markdown')
    .option('--html <file>', 'write a report with charts')
    .option('--fail-on <threshold>', 'exit with 3 when this does not hold (repeatable)', collect, [])
    .option('--list', 'list targets and workloads')
    .addHelpText('after', EXAMPLES)
    .action(run);
}
