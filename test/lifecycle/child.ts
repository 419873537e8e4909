/** Runs pieces of JavaScript with the built package in a process of their own, and watches how it ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

/** How a child ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** A child on its way. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves with the match when the output has `pattern`; rejects when the child ends first. */
  saw(pattern: RegExp | string): Promise<readonly string[]>;
  readonly ended: Promise<Ending>;
}

/** Follows what `child` prints, and how it ends. */
export function watch(child: ChildProcess): Child {
  let output = '';
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
    child.emit('said');
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output, errors }) as Ending);
  let over = false;
  void ended.then(() => {
    over = true;
    child.emit('said');
  });
  const saw = async (pattern: RegExp | string): Promise<readonly string[]> => {
    for (;;) {
      const match = typeof pattern === 'string' ? (output.includes(pattern) ? [pattern] : null) : pattern.exec(output);
      if (match !== null) {
        return match;
      }
      if (over) {
        throw new Error(`The child ended before it said ${String(pattern)}: ${output}${errors}`);
      }
      await once(child, 'said');
    }
  };
  return { process: child, saw, ended };
}

/** The environment of a child: nothing of ours that would configure a server. */
export function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^REDIS_LITE_(?!NATIVE_PREBUILD)/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** Runs `script`, which finds the package as `rln` and may use `await`. */
export function runScript(script: string): Child {
  const text = `const rln = require(${JSON.stringify(ROOT)});
    const OPTIONS = { port: 0, bind: '127.0.0.1' };
    (async () => { ${script} })().catch((error) => { console.error(error); process.exitCode = 99; });`;
  return watch(spawn(process.execPath, ['-e', text], { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Runs the program with `args`, with `input` on its standard input. */
export function runProgram(
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Child {
  const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli/main.js'), ...args], {
    env: cleanEnvironment(options.env),
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.input ?? '');
  return watch(child);
}
