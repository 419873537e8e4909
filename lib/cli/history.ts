/** The command history of `cli`, kept in a file from one session to the next. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const LINES_MAX = 1000;

/** Lines that would put a secret into the file. */
const SECRET = /^\s*(auth|hello|acl|migrate|config\s+set\s+\S*(pass|auth))\b/i;

/** Where the history is kept; an empty REDIS_LITE_NATIVE_HISTORY keeps none. */
export function historyPath(): string {
  return process.env.REDIS_LITE_NATIVE_HISTORY ?? path.join(os.homedir(), '.redis_lite_native_history');
}

/** The lines of the last sessions, the newest first. */
export function readHistory(file: string): string[] {
  try {
    return fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .reverse();
  } catch {
    return [];
  }
}

/** Keeps `lines`, the newest first, for the next session; a folder that forbids it is no error. */
export function writeHistory(file: string, lines: readonly string[]): void {
  const kept = lines.filter((line) => !SECRET.test(line)).slice(0, LINES_MAX);
  try {
    if (file !== '') {
      fs.writeFileSync(file, `${kept.reverse().join('\n')}\n`, { mode: 0o600 });
    }
  } catch {
    // Losing the history is no reason to fail at the end of a session.
  }
}
