'use strict';

// What the scripts share: which programs this machine has, and running them.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/** The folder of a program on PATH, or null. */
function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find((file) => isExecutable(file)) ?? null;
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Runs a program in the package's folder with our output; returns its exit code. */
function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) console.error(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

/** True when the C compiler can make and run a program with this sanitizer. */
function canSanitize(sanitizer) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'can-sanitize-'));
  try {
    const program = path.join(folder, 'probe');
    const args = [`-fsanitize=${sanitizer}`, '-x', 'c', '-', '-o', program];
    const compiled = spawnSync('cc', args, { input: 'int main(void) { return 0; }\n', encoding: 'utf8' });
    if (compiled.status !== 0) return false;
    const [command, ...rest] = [...sanitizerPrefix(sanitizer), program];
    return spawnSync(command, rest).status === 0;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * What to put before a program so that it runs under a sanitizer.  An older
 * ThreadSanitizer cannot live with more than 28 bits of address randomisation, which
 * newer kernels have: then the program runs without any.
 */
function sanitizerPrefix(sanitizer) {
  const setting = '/proc/sys/vm/mmap_rnd_bits';
  if (sanitizer !== 'thread' || !fs.existsSync(setting)) return [];
  if (Number(fs.readFileSync(setting, 'utf8')) <= 28) return [];
  return spawnSync('setarch', ['-R', 'true']).status === 0 ? ['setarch', '-R'] : [];
}

/** How many compilers or tests to run at once. */
const JOBS = String(os.availableParallelism());

module.exports = { ROOT, JOBS, findProgram, run, canSanitize, sanitizerPrefix };
