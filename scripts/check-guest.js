'use strict';

// node scripts/check-guest.js               checks the objects of the built core
// node scripts/check-guest.js --self-test   checks the check, on planted faults
//
// The core is a guest in somebody's process: it has no variable of its own outside a
// server, does not print, and neither ends nor forks the process.  Looked for where
// nothing can hide, in the object files of the addon's build; needs objdump and nm.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, findProgram } = require('./tools');
const { coreSources } = require('./sources');

const OBJECTS = path.join(ROOT, 'build', 'Release', 'obj.target', 'redis_lite_native');

/** A signal handler is given nothing but the number: what it needs has to be global. */
const MAY_HAVE_GLOBALS = ['native/server/signals.c'];

const FORBIDDEN_CALLS = new Set([
  ...['exit', '_exit', '_Exit', 'quick_exit', 'atexit', 'fork', 'vfork', 'system', 'popen'],
  ...['printf', 'vprintf', 'puts', 'putchar', 'perror', '__printf_chk', '__vprintf_chk', 'stdout', 'stderr'],
]);

const WRITABLE_SECTION = /^\.(data|bss|tdata|tbss)(\.|$)/;
const CONSTANT_AFTER_LOADING = /^\.data\.rel\.ro/;

/** Variables of an object file: those that stay writable. */
function variables(object) {
  const table = execFileSync('objdump', ['-t', object], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, section, name] = /^[0-9a-f]+ .{5}[ D][O ] (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$/.exec(line) ?? [];
    if (section === undefined || CONSTANT_AFTER_LOADING.test(section)) return [];
    return WRITABLE_SECTION.test(section) ? [name] : [];
  });
}

function forbiddenCalls(object) {
  const table = execFileSync('nm', ['--undefined-only', '--format=posix', object], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => FORBIDDEN_CALLS.has(name));
}

/** What is wrong with the object file of 'source', one sentence each. */
function faultsOf(source, object) {
  const globals = MAY_HAVE_GLOBALS.includes(source) ? [] : variables(object);
  return [
    ...globals.map((name) => `${source}: the variable "${name}" outlives every server`),
    ...forbiddenCalls(object).map((name) => `${source}: uses "${name}", which a guest may not`),
  ];
}

const PLANTED = `
#include <stdio.h>
#include <stdlib.h>
static const char *const words[] = { "constant", "too" };
static int counter;
static _Thread_local int per_thread = 3;
int use(int i);
int use(int i)
{
    static long calls = 1;
    calls += i;
    if (i == 7) exit(1);
    printf("%s %ld", words[i], calls);
    return counter++ + per_thread++;
}
`;
const EXPECTED = ['calls', 'counter', 'exit', 'per_thread', 'printf'];

/** Compiles right and wrong code; true when exactly the wrong is found. */
function selfTest() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-guest-'));
  try {
    const object = path.join(folder, 'planted.o');
    const args = ['-std=c11', '-O1', '-fPIC', '-x', 'c', '-', '-c', '-o', object];
    execFileSync('cc', args, { input: PLANTED });
    const found = faultsOf('planted.c', object).map((fault) => /"([a-z_]+)/.exec(fault)?.[1]);
    const right = JSON.stringify(found.sort()) === JSON.stringify(EXPECTED);
    if (!right) console.error(`check-guest: self-test found ${found.join(', ')}, expected ${EXPECTED.join(', ')}`);
    return right;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** True where the object files are of the kind that this script can read. */
function canCheck() {
  return process.platform === 'linux' && findProgram('objdump') !== null && findProgram('nm') !== null;
}

function main(args) {
  if (args[0] === '--self-test') return selfTest() ? 0 : 1;
  const faults = coreSources().flatMap((source) => {
    const object = path.join(OBJECTS, source.replace(/\.c$/, '.o'));
    return fs.existsSync(object) ? faultsOf(source, object) : [`${source}: has not been built`];
  });
  for (const fault of faults) console.error(`check-guest: ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

module.exports = { canCheck };

if (require.main === module) process.exitCode = main(process.argv.slice(2));
