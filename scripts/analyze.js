'use strict';

// node scripts/analyze.js
//
// Builds the core and its tests with clang's thread-safety analysis, warnings being
// errors, then runs clang-tidy over the core.  Needs cmake, clang-19 and clang-tidy-19.

const path = require('node:path');
const { spawn } = require('node:child_process');
const { ROOT, JOBS, run } = require('./tools');
const { coreSources } = require('./sources');

function threadSafety() {
  const cwd = path.join(ROOT, 'native');
  const configured = run('cmake', ['--preset', 'analyze'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  return configured === 0 ? run('cmake', ['--build', '--preset', 'analyze', '--parallel', JOBS], { cwd }) : configured;
}

/** Runs clang-tidy on one file; resolves to the file when it has faults, else to null. */
function tidy(file) {
  return new Promise((resolve) => {
    const args = ['--quiet', '-p', 'build-core/analyze', file];
    const child = spawn('clang-tidy-19', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.on('error', () => resolve(`${file} (clang-tidy-19 did not start)`));
    child.on('close', (code) => {
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      resolve(code === 0 ? null : file);
    });
  });
}

async function tidyAll() {
  const waiting = coreSources();
  const faulty = [];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const fault = await tidy(file);
      if (fault !== null) faulty.push(fault);
    }
  };
  await Promise.all(Array.from({ length: Number(JOBS) }, lane));
  if (faulty.length > 0) console.error(`clang-tidy: faults in ${faulty.sort().join(', ')}`);
  return faulty.length === 0 ? 0 : 1;
}

async function main() {
  const analysed = threadSafety();
  const tidied = analysed === 0 ? await tidyAll() : 1;
  console.log(`analyze: ${analysed === 0 && tidied === 0 ? 'clean' : 'faults found'}`);
  process.exitCode = analysed || tidied;
}

void main();
