'use strict';

// node scripts/fuzz.js [--seconds 60] [--but name]... [name...]
//
// Builds every test/fuzz/fuzz_*.c with libFuzzer and runs each for that long, two at a
// time.  Seeds come from test/fuzz/corpus/<name>, words from test/fuzz/<name>.dict, when
// they exist; an input that fails is kept in build-core/fuzz/.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { ROOT, JOBS, run } = require('./tools');

const FOLDER = path.join(ROOT, 'test', 'fuzz');
const BUILD = path.join(ROOT, 'build-core', 'fuzz');

function build() {
  const cwd = path.join(ROOT, 'native');
  const configured = run('cmake', ['--preset', 'fuzz'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  return configured === 0 ? run('cmake', ['--build', '--preset', 'fuzz', '--parallel', JOBS], { cwd }) : configured;
}

function fuzzers() {
  const files = fs.existsSync(FOLDER) ? fs.readdirSync(FOLDER) : [];
  return files.filter((file) => /^fuzz_.*\.c$/.test(file)).map((file) => path.basename(file, '.c'));
}

/** Runs one fuzzer to the end of its time; resolves to true when it found nothing. */
function fuzz(name, seconds) {
  const found = path.join(BUILD, 'corpus', name);
  fs.mkdirSync(found, { recursive: true });
  const seeds = path.join(FOLDER, 'corpus', name);
  const words = path.join(FOLDER, `${name}.dict`);
  const args = [
    `-max_total_time=${seconds}`,
    '-timeout=20',
    '-rss_limit_mb=2048',
    '-print_final_stats=1',
    '-verbosity=0',
    `-artifact_prefix=${BUILD}/${name}-`,
    ...(fs.existsSync(words) ? [`-dict=${words}`] : []),
    found,
    ...(fs.existsSync(seeds) ? [seeds] : []),
  ];
  return new Promise((resolve) => {
    const child = spawn(path.join(BUILD, name), args, { cwd: BUILD, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', () => resolve(false));
    child.on('close', (code) => {
      console.log(`fuzz: ${name}: ${code === 0 ? `nothing found in ${seconds} seconds` : 'FAILED'}`);
      resolve(code === 0);
    });
  });
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, but: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  if (build() !== 0) return 1;
  const waiting = (positionals.length > 0 ? positionals : fuzzers()).filter((name) => !values.but.includes(name));
  let clean = true;
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      clean = (await fuzz(name, values.seconds)) && clean;
    }
  };
  await Promise.all(Array.from({ length: Number(JOBS) }, lane));
  return clean ? 0 : 1;
}

void main().then((code) => {
  process.exitCode = code;
});
