'use strict';

// npm test [-- section...]     sections: build checks c jest; all of them when none is named
//
// Builds what is stale and runs every test.  What this machine lacks is skipped with a
// line that says so; with RLN_NO_SKIP=1 whatever would be skipped fails instead.  The last
// line sums up: C test programs, Jest tests and checks together.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ROOT, findProgram, canSanitize } = require('./tools');
const { runPreset } = require('./ctest');
const { canCheck } = require('./check-guest');

const NO_SKIP = process.env.RLN_NO_SKIP === '1';
const SANITIZER_OF = { debug: null, asan: 'address,undefined', tsan: 'thread' };
const sum = { passed: 0, failed: 0, skipped: 0 };

function report(section, { passed, failed, skipped }) {
  // What may not be skipped has failed.
  const counted = NO_SKIP ? { passed, failed: failed + skipped, skipped: 0 } : { passed, failed, skipped };
  for (const key of Object.keys(sum)) sum[key] += counted[key];
  const verdict = counted.failed > 0 ? 'FAILED' : 'ok';
  console.log(`== ${section}: ${verdict} (${passed} passed, ${failed} failed, ${skipped} skipped)`);
}

function skip(section, why) {
  console.log(`!! SKIPPED: ${section}: ${why}${NO_SKIP ? ' (RLN_NO_SKIP=1: this is a failure)' : ''}`);
  report(section, { passed: 0, failed: 0, skipped: 1 });
}

/** One check: a node program that exits with 0 when all is well. */
function check(section, args) {
  const passed = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  report(section, { passed: Number(passed), failed: Number(!passed), skipped: 0 });
  return passed;
}

function runBuild() {
  return check('build', ['scripts/build.js']);
}

function runChecks() {
  check('direction of includes', ['scripts/check-includes.js']);
  check('direction of includes, the check itself', ['scripts/check-includes.js', '--self-test']);
  if (canCheck()) {
    check('the core is a guest', ['scripts/check-guest.js']);
    check('the core is a guest, the check itself', ['scripts/check-guest.js', '--self-test']);
  } else skip('the core is a guest', 'this reads ELF objects with objdump and nm');
  check('package content', ['scripts/check-pack.js']);
  check('table of commands', ['scripts/command-table.js', '--check']);
  check('types', [require.resolve('typescript/bin/tsc'), '-p', 'test']);
}

/** Without a sanitizer only what differs is tested again, unless there is none. */
function runC() {
  const missing = Object.values(SANITIZER_OF).filter((sanitizer) => sanitizer !== null && !canSanitize(sanitizer));
  for (const [preset, sanitizer] of Object.entries(SANITIZER_OF)) {
    const section = `C tests (${preset})`;
    if (findProgram('cmake') === null) skip(section, 'there is no cmake on this machine');
    else if (missing.includes(sanitizer)) skip(section, `cc has no -fsanitize=${sanitizer} here`);
    else report(section, runPreset(preset, { unsanitized: sanitizer === null && missing.length === 0 }));
  }
}

function runJest() {
  const output = path.join(ROOT, 'build', 'jest.json');
  fs.mkdirSync(path.dirname(output), { recursive: true });
  fs.rmSync(output, { force: true });
  const args = [require.resolve('jest/bin/jest'), '--json', `--outputFile=${output}`];
  // With --json the report also goes to stdout, where nobody wants it; progress is on stderr.
  const result = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!fs.existsSync(output)) {
    report('Jest', { passed: 0, failed: 1, skipped: 0 });
    return;
  }
  const found = JSON.parse(fs.readFileSync(output, 'utf8'));
  for (const { name, assertionResults } of found.testResults) {
    for (const { status, fullName } of assertionResults) {
      if (status === 'pending') console.log(`!! SKIPPED: ${path.relative(ROOT, name)}: ${fullName}`);
    }
  }
  // A file that does not load has no tests that could fail: it counts as one.
  const failed = found.numFailedTests + found.numRuntimeErrorTestSuites;
  report('Jest', {
    passed: found.numPassedTests,
    failed: result.status !== 0 && failed === 0 ? 1 : failed,
    skipped: found.numPendingTests + found.numTodoTests,
  });
}

const SECTIONS = { build: runBuild, checks: runChecks, c: runC, jest: runJest };

function main(asked) {
  const unknown = asked.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) {
    console.error(`test: no section "${unknown[0]}"; there are ${Object.keys(SECTIONS).join(', ')}`);
    return 2;
  }
  for (const name of asked.length > 0 ? asked : Object.keys(SECTIONS)) {
    if (SECTIONS[name]() === false) break; // Nothing can be tested that was not built.
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
