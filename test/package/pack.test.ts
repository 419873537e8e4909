/**
 * The package as its users get it: packed, installed in an empty folder without any
 * compiler on PATH, started, required and imported.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findProgram } from '../support/peers';

const ROOT = resolve(__dirname, '..', '..');
const ADDON = join(ROOT, 'build', 'Release', 'redis_lite_native.node');
const PACKED = ['package.json', 'LICENSE', 'README.md', 'dist'];

let folder: string;
let app: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rln-pack-'));
  app = join(folder, 'app');
  mkdirSync(app);
  env = { HOME: process.env.HOME, PATH: barePath(), CI: 'true', npm_config_update_notifier: 'false' };
  const tarball = pack();
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0", "private": true }');
  npm(app, 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', tarball);
}, 180_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder with node, npm, npx and sh alone. */
function barePath(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const name of ['npm', 'npx', 'sh']) {
    const program = findProgram(name);
    if (program === undefined) throw new Error(`there is no ${name} on PATH`);
    symlinkSync(realpathSync(program), join(bin, name));
  }
  return bin;
}

function npm(cwd: string, ...args: string[]): string {
  return execFileSync(join(folder, 'bin', 'npm'), args, { cwd, env, encoding: 'utf8' });
}

/** Packs a copy of this checkout to which the addon of the current build is added as a prebuild. */
function pack(): string {
  const stage = join(folder, 'stage');
  for (const name of PACKED) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  }
  const prebuild = join(stage, 'prebuilds', `${process.platform}-${process.arch}`, 'redis-lite-native.node');
  mkdirSync(dirname(prebuild), { recursive: true });
  cpSync(ADDON, prebuild);
  const name = npm(stage, 'pack', '--ignore-scripts', '--silent', `--pack-destination=${folder}`).trim();
  return join(folder, name);
}

/** Runs a program file of the app with node and gives what it printed. */
function runNode(file: string, source: string): string {
  writeFileSync(join(app, file), source);
  return execFileSync(process.execPath, [file], { cwd: app, env, encoding: 'utf8', timeout: 20_000 }).trim();
}

/** The port out of the first line of output that tells one. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolvePort, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const port = /(?:127\.0\.0\.1:|port[ =:"]+)(\d{2,5})\b/i.exec(text)?.[1];
      if (port !== undefined) resolvePort(Number(port));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`it ended with ${code} before it listened:\n${text}`)));
  });
}

/** Sends one request and gives the first bytes of the answer, trying until somebody listens. */
async function ask(port: number, request: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await askOnce(port, request);
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function askOnce(port: number, request: string): Promise<string> {
  return new Promise((resolveAnswer, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolveAnswer(chunk.toString());
    });
    socket.once('error', reject);
  });
}

describe('the packed package', () => {
  test('installs without compiling and without an install script', () => {
    const installed = join(app, 'node_modules', 'redis-lite-native');
    expect(existsSync(join(installed, 'build'))).toBe(false);
    expect(existsSync(join(installed, 'binding.gyp'))).toBe(false);
    expect(existsSync(join(installed, 'prebuilds'))).toBe(true);
  });

  test('is required by CommonJS', () => {
    const source = "const { createServer } = require('redis-lite-native'); console.log(typeof createServer);";
    expect(runNode('required.cjs', source)).toBe('function');
  });

  test('is imported by ES modules, by name, as the same module', () => {
    const source = [
      "import { createRequire } from 'node:module';",
      "import { createServer } from 'redis-lite-native';",
      "const required = createRequire(import.meta.url)('redis-lite-native');",
      'console.log(typeof createServer, required.createServer === createServer);',
    ].join('\n');
    expect(runNode('imported.mjs', source)).toBe('function true');
  });

  test('has types for both', () => {
    for (const extension of ['cts', 'mts']) {
      const source =
        "import { createServer } from 'redis-lite-native';\nexport const made = createServer({ port: 0 });\n";
      writeFileSync(join(app, `typed.${extension}`), source);
    }
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
    const typeRoots = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
    const compiler = require.resolve('typescript/bin/tsc');
    const run = (): string =>
      execFileSync(process.execPath, [compiler, ...options, ...typeRoots, 'typed.cts', 'typed.mts'], {
        cwd: app,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(run).not.toThrow();
  }, 60_000);

  test('serves after "npx redis-lite-native start" and stops on SIGTERM', async () => {
    const npx = join(folder, 'bin', 'npx');
    const args = ['--no-install', 'redis-lite-native', 'start', '--port', '0'];
    const child = spawn(npx, args, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    try {
      const port = await portOf(child);
      expect(await ask(port, '*1\r\n$4\r\nPING\r\n')).toBe('+PONG\r\n');
      // npx and the shell between us and the server are in the child's own process group.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
      await expect(askOnce(port, 'PING\r\n')).rejects.toThrow(/ECONNREFUSED/);
    } finally {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        process.kill(-child.pid, 'SIGKILL');
      }
    }
  }, 60_000);

  test('its program exits with 0 when it is stopped by SIGTERM', async () => {
    const program = join(app, 'node_modules', '.bin', 'redis-lite-native');
    const child = spawn(program, ['start', '--port', '0'], { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    await portOf(child);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  }, 60_000);
});
