#!/usr/bin/env node
/** The program `redis-lite-native`.  It requires only what the command at hand needs. */

import { errorLine, exitCodeOf } from './exit';

/** Commander's own errors carry 0 for `--help` and `--version`, and anything else is wrong usage. */
function commanderExitCode(error: unknown): number | null {
  const isCommander = error instanceof Error && 'exitCode' in error && error.name === 'CommanderError';
  return isCommander ? (error.exitCode === 0 ? 0 : 2) : null;
}

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...words] = argv;
  try {
    if (command === 'start' && !words.includes('--help') && !words.includes('-h')) {
      // The daemon's way in, without the parser of the other commands.
      const { start } = require('./start') as typeof import('./start');
      await start(words);
    } else {
      const { createProgram } = require('./program') as typeof import('./program');
      await createProgram().parseAsync([...argv], { from: 'user' });
    }
  } catch (error) {
    const code = commanderExitCode(error);
    if (code === null) {
      process.stderr.write(errorLine(error));
    }
    process.exitCode = code ?? exitCodeOf(error);
  }
}

void main(process.argv.slice(2));
