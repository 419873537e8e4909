/**
 * Tests that need a program which not every machine has: they are skipped with a loud
 * line, or fail when RLN_NO_SKIP=1 says that nothing may be missing.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program on PATH, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** As `describe`, for tests that need all of `programs`. */
export function describeWith(programs: readonly string[], name: string, body: () => void): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const why = `there is no ${missing.join(', no ')} on this machine`;
  if (process.env.RLN_NO_SKIP === '1') {
    describe(name, () => {
      test('has the programs it needs', () => {
        throw new Error(why);
      });
    });
    return;
  }
  process.stderr.write(`!! SKIPPED: ${name}: ${why}\n`);
  describe.skip(name, body);
}
