/** The file that holds a daemon's process id. */

import fs from 'node:fs';
import { PermissionDeniedError, StartFailedError } from '../errors';

/** Where a daemon that was told no `pidfile` leaves its process id, and where `stop` looks. */
export const DEFAULT_PIDFILE = 'redis-lite-native.pid';

/** Writes this process's id to `path`. */
export function writePidfile(path: string): void {
  try {
    fs.writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    const { code = '', errno = 0, message } = error as NodeJS.ErrnoException;
    throw code === 'EACCES' || code === 'EPERM'
      ? new PermissionDeniedError(`pidfile: ${message}`)
      : new StartFailedError(code, -errno, `pidfile: ${message}`);
  }
}

/** Removes `path` when it still holds this process's id. */
export function removePidfile(path: string): void {
  if (readPidfile(path) === process.pid) {
    fs.rmSync(path, { force: true });
  }
}

/** The process id in `path`, or null when there is none. */
export function readPidfile(path: string): number | null {
  try {
    const pid = Number(fs.readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** True when a process with this id exists and, where the system tells, is a server of ours. */
export function isServerProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') {
      return false;
    }
  }
  try {
    // A process id is used again after its process has ended: an old pidfile may name a stranger.
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-lite-native');
  } catch {
    return process.platform !== 'linux';
  }
}
