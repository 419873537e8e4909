/** Reads a command line as redis-server does: `[redis.conf] --port 7777 --save 3600 1`. */

import type { Assignment } from './origin';

/** An assignment of a text source. */
export interface WordsAssignment extends Assignment {
  readonly value: readonly string[];
}

/** A command line, taken apart. */
export interface CommandLine {
  /** `-` means standard input. */
  readonly configFile: string | null;
  readonly assignments: readonly WordsAssignment[];
  /** Words that belong to no directive. */
  readonly strays: readonly string[];
}

/** Everything from one `--name` to the next is its value; `--name=value` is understood too. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const assignments: { name: string; value: string[]; origin: { kind: 'argument'; flag: string } }[] = [];
  const strays: string[] = [];
  for (const word of argv) {
    const last = assignments.at(-1);
    if (word.startsWith('--') && word.length > 2) {
      const [, name = '', , value] = /^--([^=]*)(=(.*))?$/s.exec(word) ?? [];
      assignments.push({
        name,
        value: value === undefined ? [] : [value],
        origin: { kind: 'argument', flag: `--${name}` },
      });
    } else if (last !== undefined) {
      last.value.push(word);
    } else {
      strays.push(word);
    }
  }
  return { configFile: strays[0] ?? null, assignments, strays: strays.slice(1) };
}
