'use strict';

// npm run analyze              clang's thread-safety analysis and other warnings, over the core and
//                              its tests, and clang-tidy over the core
// npm run analyze -- --deep    clang's static analyzer, within clang-tidy, follows each function
//                              as far as it does by itself: several times as long
//
// Nothing is built: the fuzz targets are what clang builds with these warnings.  Needs cmake,
// clang-19 and clang-tidy-19.

const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { ROOT, JOBS, run } = require('./tools');
const { coreSources } = require('./sources');

const BUILD = path.join('build-core', 'analyze');
/** States that the static analyzer looks at in a function before it goes on to the next. */
const STATES = 20_000;

/** What clang has to compile, with which command: [{ file, command, directory }]. */
function compileCommands() {
  const cwd = path.join(ROOT, 'native');
  const configured = run('cmake', ['--preset', 'analyze'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (configured !== 0) throw new Error('cmake could not configure the preset "analyze"');
  const all = JSON.parse(fs.readFileSync(path.join(ROOT, BUILD, 'compile_commands.json'), 'utf8'));
  return all.filter(({ file }) => !file.includes('node_modules'));
}

/** Runs a program; resolves to true when it ends well, else prints what it said. */
function passes(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => output.push(`${program}: ${error.message}\n`));
    child.on('close', (code) => {
      if (code !== 0) process.stdout.write(output.map(String).join(''));
      resolve(code === 0);
    });
  });
}

const compiles = ({ command, directory }) =>
  passes(`${command} -fsyntax-only`, [], { shell: true, cwd: path.resolve(ROOT, directory) });

function isTidy(file, deep) {
  const budget = ['-Xclang', '-analyzer-config', '-Xclang', `max-nodes=${STATES}`];
  const extra = deep ? [] : budget.map((word) => `--extra-arg=${word}`);
  return passes('clang-tidy-19', ['--quiet', '-p', BUILD, ...extra, file]);
}

/** Runs 'check' on all, as many at once as there are processors; the names of those that did not pass. */
async function failing(all, nameOf, check) {
  const waiting = [...all];
  const failed = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!(await check(next))) failed.push(nameOf(next));
    }
  };
  await Promise.all(Array.from({ length: Number(JOBS) }, lane));
  return failed.sort();
}

async function main() {
  const deep = process.argv.includes('--deep');
  const warned = await failing(
    compileCommands(),
    ({ file }) => path.relative(ROOT, file),
    (entry) => compiles(entry),
  );
  const untidy = await failing(
    coreSources(),
    (file) => file,
    (file) => isTidy(file, deep),
  );
  if (warned.length > 0) console.error(`clang: faults in ${warned.join(', ')}`);
  if (untidy.length > 0) console.error(`clang-tidy: faults in ${untidy.join(', ')}`);
  const clean = warned.length + untidy.length === 0;
  console.log(`analyze: ${clean ? 'clean' : 'faults found'}`);
  process.exitCode = clean ? 0 : 1;
}

void main();
