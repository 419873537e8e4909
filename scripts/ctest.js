'use strict';

// node scripts/ctest.js <preset>...
//
// Configures, builds and runs the C tests for each preset of native/CMakePresets.json.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, JOBS, run, sanitizerPrefix } = require('./tools');

/**
 * Tests of one preset: how many passed, failed and were skipped.  A build that fails is one failure.
 * With `unsanitized` only those are built and run that differ under a sanitizer.
 */
function runPreset(preset, { unsanitized = false } = {}) {
  const cwd = path.join(ROOT, 'native');
  const report = path.join(ROOT, 'build-core', preset, 'ctest.xml');
  fs.rmSync(report, { force: true });
  const [targets, labels] = unsanitized
    ? [
        ['--target', 'unsanitized_tests'],
        ['-L', 'unsanitized'],
      ]
    : [[], []];
  const built =
    run('cmake', ['--preset', preset], { cwd, stdio: ['ignore', 'ignore', 'inherit'] }) === 0 &&
    run('cmake', ['--build', '--preset', preset, '--parallel', JOBS, ...targets], { cwd }) === 0;
  if (!built) return { passed: 0, failed: 1, skipped: 0 };
  const options = ['--parallel', JOBS, '--no-tests=ignore', '--output-junit', report, ...labels];
  const command = ['ctest', '--preset', preset, ...options];
  const [program, ...args] = [...sanitizerPrefix(preset === 'tsan' ? 'thread' : ''), ...command];
  const code = run(program, args, { cwd });
  const counts = readReport(report);
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Sums of a JUnit report as ctest writes it. */
function readReport(report) {
  if (!fs.existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const head = /<testsuite\b[^>]*>/.exec(fs.readFileSync(report, 'utf8'))?.[0] ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const skipped = count('skipped') + count('disabled');
  return { passed: count('tests') - count('failures') - skipped, failed: count('failures'), skipped };
}

module.exports = { runPreset };

if (require.main === module) {
  const presets = process.argv.slice(2);
  if (presets.length === 0) {
    console.error('usage: node scripts/ctest.js <preset>...');
    process.exit(2);
  }
  const failed = presets.filter((preset) => {
    console.log(`ctest: ${preset}`);
    return runPreset(preset).failed > 0;
  });
  process.exitCode = failed.length === 0 ? 0 : 1;
}
