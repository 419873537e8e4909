'use strict';

// node scripts/with-headers.js <program> [arguments]
//
// Runs a program of this package's dependencies with the headers installed beside the
// running Node, when they are there and nothing else was asked for, so that building
// the addon downloads nothing.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const nodeDir = require('./node-dir');

const ROOT = path.join(__dirname, '..');
const ASKED_FOR = ['nodedir', 'disturl', 'dist_url', 'target', 'runtime'];

/** The environment for node-gyp, cmake-js and prebuildify. */
function buildEnvironment() {
  const env = { ...process.env };
  env.PATH = [path.join(ROOT, 'node_modules', '.bin'), env.PATH].join(path.delimiter);
  const asked = ASKED_FOR.some((key) => env[`npm_config_${key}`]) || env.npm_package_config_node_gyp_nodedir;
  const headers = asked ? null : nodeDir();
  if (headers !== null) {
    // npm hands its settings down in lower case, and newer node-gyp prefers its own name.
    env.npm_config_nodedir = headers;
    env.npm_package_config_node_gyp_nodedir = headers;
  }
  return env;
}

/** Runs it to its end with our output; returns its exit code. */
function runWithHeaders(program, args, extra = {}) {
  const env = { ...buildEnvironment(), ...extra };
  const result = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', env });
  if (result.error) console.error(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

module.exports = { runWithHeaders };

if (require.main === module) {
  const [program, ...args] = process.argv.slice(2);
  process.exitCode = runWithHeaders(program, args);
}
