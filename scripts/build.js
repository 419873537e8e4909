'use strict';

// node scripts/build.js [native] [ts]
//
// Builds what is stale: the addon into build/Release and the TypeScript into dist.
// npm runs it after an install in a clone ("prepare"); those who install the package
// get prebuilds and never come here.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { runWithHeaders } = require('./with-headers');

const ROOT = path.join(__dirname, '..');

/** Configuring anew each time finds new files; make then compiles what has changed only. */
function buildNative() {
  return runWithHeaders('node-gyp', ['configure', 'build', '--loglevel=error', '-j', 'max']);
}

function buildTypeScript() {
  const compiler = require.resolve('typescript/bin/tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: ROOT, stdio: 'inherit' });
  const main = path.join(ROOT, 'dist', 'cli', 'main.js');
  if (result.status === 0 && fs.existsSync(main)) fs.chmodSync(main, 0o755);
  return result.status ?? 1;
}

const STEPS = { native: buildNative, ts: buildTypeScript };

function main(asked) {
  for (const name of asked.length > 0 ? asked : Object.keys(STEPS)) {
    if (!(name in STEPS)) {
      console.error('usage: node scripts/build.js [native] [ts]');
      return 2;
    }
    const code = STEPS[name]();
    if (code !== 0) {
      console.error(`build: ${name} failed`);
      return code;
    }
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
