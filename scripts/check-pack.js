'use strict';

// node scripts/check-pack.js [--release]
//
// Checks what "npm pack" would publish: the compiled JavaScript with its types, the
// licence, nothing that belongs to development, and no script that runs at install.
// With --release, the README and a prebuild for every supported system too.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const NEEDED = ['package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js'];
const NEEDED_FOR_RELEASE = [
  'README.md',
  'prebuilds/linux-x64/redis-lite-native.glibc.node',
  'prebuilds/linux-x64/redis-lite-native.musl.node',
  'prebuilds/linux-arm64/redis-lite-native.glibc.node',
  'prebuilds/linux-arm64/redis-lite-native.musl.node',
  'prebuilds/darwin-x64/redis-lite-native.node',
  'prebuilds/darwin-arm64/redis-lite-native.node',
];
const ALLOWED = [
  /^(package\.json|LICENSE|README\.md)$/,
  /^dist\/.+\.(js|js\.map|d\.ts)$/,
  /^prebuilds\/(linux|darwin)-(x64|arm64)\/redis-lite-native(\.(glibc|musl))?\.node$/,
];
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

function packedFiles() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const result = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`npm pack failed: ${result.stderr}`);
  return JSON.parse(result.stdout)[0].files.map((file) => file.path);
}

/** Everything wrong with the package as it would be published, one sentence each. */
function findFaults(release) {
  const files = packedFiles();
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const needed = release ? [...NEEDED, ...NEEDED_FOR_RELEASE] : NEEDED;
  return [
    ...needed.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files.filter((file) => !ALLOWED.some((rule) => rule.test(file))).map((file) => `${file} does not belong there`),
    ...INSTALL_SCRIPTS.filter((name) => name in manifest.scripts).map((name) => `there is a script "${name}"`),
    ...(manifest.gypfile === false ? [] : ['"gypfile" must be false, or npm would run node-gyp at install']),
  ];
}

const faults = findFaults(process.argv.includes('--release'));
for (const fault of faults) console.error(`check-pack: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
