'use strict';

// npm run instructions               counts, and compares with test/performance/instructions.json
// npm run instructions -- --update   counts, and writes that file
//
// Instructions for each command, counted by callgrind over test/performance/instructions.c.
// Unlike times they are the same on a busy machine, so a guard on them does not flap.  They
// do depend on the compiler: figures are compared with those of the same compiler and major
// version on the same processor family alone.  Exit code 1 when a figure is off by more than
// the tolerance, to either side: what became better is to be kept.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, JOBS, findProgram, run } = require('./tools');

const FIGURES = path.join(ROOT, 'test', 'performance', 'instructions.json');
const SOURCE = path.join(ROOT, 'test', 'performance', 'instructions.c');
const BUILD = path.join(ROOT, 'build-core', 'release');
const PROGRAM = path.join(BUILD, 'instructions');
const NO_SKIP = process.env.RLN_NO_SKIP === '1';
const TOLERANCE = 0.03;
const COMMANDS = 8000;

const CASES = [
  ...['GET', 'SET', 'INCR', 'MSET'].flatMap((name) => [1, 16].map((pipeline) => ({ name, pipeline }))),
  { name: 'in-process-get', pipeline: 1 },
];

const labelOf = ({ name, pipeline }) => (name.startsWith('in-process') ? name : `${name} P=${pipeline}`);

/** "gcc 12.2.0 x64": what the figures depend on. */
function compiler() {
  const version = execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  const kind = /clang/i.test(version) ? 'clang' : 'gcc';
  const number = execFileSync('cc', [kind === 'gcc' ? '-dumpfullversion' : '-dumpversion'], {
    encoding: 'utf8',
  }).trim();
  return `${kind} ${number} ${process.arch}`;
}

/** The part of a compiler's name that makes figures comparable: "gcc 12 x64". */
const familyOf = (name) => name.replace(/ (\d+)[\d.]*/, ' $1');

function build() {
  const cwd = path.join(ROOT, 'native');
  const quiet = { cwd, stdio: ['ignore', 'ignore', 'inherit'] };
  const flags = ['-std=c11', '-D_GNU_SOURCE', '-O3', '-g', '-DNDEBUG', '-fno-strict-aliasing'];
  const includes = [`-I${cwd}`, `-I${path.join(cwd, 'include')}`];
  const libraries = ['librln_core.a', 'librln_lua.a'].map((name) => path.join(BUILD, name));
  return (
    run('cmake', ['--preset', 'release'], quiet) === 0 &&
    run('cmake', ['--build', '--preset', 'release', '--parallel', JOBS], quiet) === 0 &&
    run('cc', [...flags, ...includes, SOURCE, ...libraries, '-pthread', '-lm', '-ldl', '-o', PROGRAM]) === 0
  );
}

/** Instructions for one command of a case. */
function count({ name, pipeline }, folder) {
  const out = path.join(folder, `${name}-${pipeline}`);
  const args = [
    '--tool=callgrind',
    '--collect-atstart=no',
    '--toggle-collect=measured',
    `--callgrind-out-file=${out}`,
    ...[PROGRAM, name, String(pipeline), String(COMMANDS)],
  ];
  const result = spawnSync('valgrind', args, { encoding: 'utf8' });
  const total = /^(?:summary|totals): (\d+)/m.exec(fs.existsSync(out) ? fs.readFileSync(out, 'utf8') : '')?.[1];
  if (result.status !== 0 || total === undefined || total === '0') {
    throw new Error(`callgrind failed on ${name}:\n${result.stderr}`);
  }
  return Math.round(Number(total) / COMMANDS);
}

function countAll() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'instructions-'));
  try {
    return Object.fromEntries(CASES.map((each) => [labelOf(each), count(each, folder)]));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Prints a line for each figure; how many are off. */
function compare(found, recorded) {
  let off = 0;
  for (const [label, instructions] of Object.entries(found)) {
    const expected = recorded[label];
    const change = expected === undefined ? Number.POSITIVE_INFINITY : instructions / expected - 1;
    const fine = Math.abs(change) <= TOLERANCE;
    if (!fine) off++;
    const beside = expected === undefined ? 'no figure' : `${expected}, ${(change * 100).toFixed(1)} %`;
    console.log(`${fine ? '   ' : '!! '}${label.padEnd(16)} ${String(instructions).padStart(6)}  (${beside})`);
  }
  return off;
}

function skip(why, mayFail) {
  const fails = NO_SKIP && mayFail;
  console.log(`!! SKIPPED: instructions: ${why}${fails ? ' (RLN_NO_SKIP=1: this is a failure)' : ''}`);
  return fails ? 1 : 0;
}

function main(args) {
  const missing = ['valgrind', 'cmake', 'cc'].find((name) => findProgram(name) === null);
  if (missing !== undefined) return skip(`there is no ${missing} on this machine`, true);
  if (!build()) return 1;
  const found = countAll();
  const name = compiler();
  if (args.includes('--update')) {
    const text = { compiler: name, tolerance: TOLERANCE, instructionsPerCommand: found };
    fs.writeFileSync(FIGURES, `${JSON.stringify(text, null, 2)}\n`);
    console.log(`instructions: wrote ${path.relative(ROOT, FIGURES)} for ${name}`);
    return 0;
  }
  if (!fs.existsSync(FIGURES)) {
    console.error('instructions: there are no figures: npm run instructions -- --update');
    return 1;
  }
  const recorded = JSON.parse(fs.readFileSync(FIGURES, 'utf8'));
  if (familyOf(recorded.compiler) !== familyOf(name)) {
    for (const [label, instructions] of Object.entries(found)) console.log(`   ${label.padEnd(16)} ${instructions}`);
    // Another compiler is no fault of the code: there is nothing to compare with.
    return skip(`the figures are of ${recorded.compiler}, this is ${name}`, false);
  }
  const off = compare(found, recorded.instructionsPerCommand);
  if (off > 0) {
    console.error(`instructions: ${off} figures are off by more than ${TOLERANCE * 100} %.`);
    console.error('If that is meant: npm run instructions -- --update, and say why in the commit.');
  }
  return off > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
