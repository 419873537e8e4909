/** Runs a server in the background: a second process that outlives this one. */

import { spawn } from 'node:child_process';
import { CommandError, errorLine, exitCodeOf, UsageError } from './exit';

/** Set in the background process. */
export const DAEMON_VARIABLE = 'REDIS_LITE_NATIVE_DAEMON';

type Report =
  | { readonly kind: 'ready'; readonly pid: number; readonly address: string }
  | { readonly kind: 'failed'; readonly error: unknown };

type Message =
  | { readonly kind: 'ready'; readonly pid: number; readonly address: string }
  | { readonly kind: 'failed'; readonly code: 1 | 2; readonly line: string };

/** Tells the process that started this one how it went; does nothing in the foreground. */
export function tellStarter(report: Report): void {
  if (process.send === undefined || process.env[DAEMON_VARIABLE] === undefined) {
    return;
  }
  const message: Message =
    report.kind === 'ready'
      ? report
      : { kind: 'failed', code: exitCodeOf(report.error), line: errorLine(report.error) };
  process.send(message, () => {
    if (process.connected) {
      process.disconnect();
    }
  });
}

/** Starts the background process with the words of `start` and waits until it serves. */
export function runInBackground(argv: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start', ...argv], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new CommandError(`the server ended while it started (${signal ?? `exit code ${code}`})`));
    });
    child.once('message', (message: Message) => {
      child.removeAllListeners('exit');
      child.unref();
      if (message.kind === 'ready') {
        process.stdout.write(`redis-lite-native listens on ${message.address}, process ${message.pid}\n`);
        resolve();
      } else {
        const text = message.line.trimEnd().replace(/^redis-lite-native: /, '');
        reject(message.code === 2 ? new UsageError(text) : new CommandError(text));
      }
    });
  });
}
