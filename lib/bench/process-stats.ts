/** What the system tells of a process: processor time and resident memory. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** `getconf CLK_TCK` of every Linux that Node runs on. */
const TICK_NS = 10_000_000;

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The scheduler's nanoseconds of all threads; null where the kernel does not keep them. */
function scheduledNs(pid: number): number | null {
  try {
    const times = readdirSync(`/proc/${pid}/task`).map((task) =>
      Number(readText(`/proc/${pid}/task/${task}/schedstat`)?.split(' ')[0] ?? 0),
    );
    const sum = times.reduce((total, time) => total + time, 0);
    return sum > 0 ? sum : null;
  } catch {
    return null;
  }
}

/** utime and stime, in nanoseconds; their unit is 10 ms. */
function tickedNs(pid: number): number | null {
  const text = readText(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined ? null : (Number(fields[11]) + Number(fields[12])) * TICK_NS;
}

function ps(pid: number, field: string): string | null {
  try {
    return execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** `[dd-][hh:]mm:ss[.cc]` in nanoseconds. */
function clockNs(text: string): number {
  const [days, clock] = text.includes('-') ? text.split('-') : ['0', text];
  const seconds = (clock ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1e9;
}

/** Processor time that the process has used, user and system, all threads; null when it is gone. */
export function cpuNs(pid: number): number | null {
  if (process.platform === 'linux') {
    return scheduledNs(pid) ?? tickedNs(pid);
  }
  const text = ps(pid, 'time');
  return text === null ? null : clockNs(text);
}

/** Bytes of memory that the process has in use; null when it is gone. */
export function residentBytes(pid: number): number | null {
  const rollup = readText(`/proc/${pid}/status`);
  const kilobytes = rollup === null ? ps(pid, 'rss') : /^VmRSS:\s+(\d+)/m.exec(rollup)?.[1];
  return kilobytes === null || kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
