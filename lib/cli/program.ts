/** The command line as commander sees it; each command's own code is required when it runs. */

import { Command, InvalidArgumentError } from 'commander';
import { nativeVersion } from '../binding';
import { addBench } from './bench';
import * as help from './help';
import { DEFAULT_PIDFILE } from './pidfile';
import { addTargetOptions, type TargetOptions, targetOf } from './target';

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError('Expected a number, 0 or more.');
  }
  return Number(text);
}

interface StopOptions extends TargetOptions {
  readonly pidfile?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

interface ClientOptions extends TargetOptions {
  readonly db: number;
  readonly resp2?: boolean;
  readonly json?: boolean;
  readonly raw?: boolean;
}

/** The pidfile to look at: the one that was named, or the usual one when no address was. */
function pidfileOf(command: Command, pidfile: string | undefined): string | null {
  const addressed = ['host', 'port', 'socket'].some((name) => command.getOptionValueSource(name) === 'cli');
  return pidfile ?? (addressed ? null : DEFAULT_PIDFILE);
}

/** Options of `start` and `config` are directives, which their own reader knows. */
function directivesCommand(program: Command, name: string, summary: string, examples: string): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary}.`)
    .usage('[redis.conf] [--directive value ...]')
    .argument('[words...]', 'redis.conf and directives')
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText('after', examples);
}

function addStop(program: Command): void {
  addTargetOptions(program.command('stop').summary('stop a server gracefully'))
    .description('Stop a server gracefully and wait until it has ended.')
    .option('--pidfile <path>', 'the pidfile of the server')
    .option('--timeout <seconds>', 'how long to wait', count, 10)
    .option('--json', 'print JSON')
    .addHelpText('after', help.STOP_EXAMPLES)
    .action(async (options: StopOptions, command: Command) => {
      const { stop } = require('./stop') as typeof import('./stop');
      await stop({
        pidfile: pidfileOf(command, options.pidfile),
        target: targetOf(options),
        timeoutMs: options.timeout * 1000,
        json: options.json ?? false,
      });
    });
}

function addStatus(program: Command): void {
  addTargetOptions(program.command('status').summary('show whether a server runs, and how it is'))
    .description('Show whether a server runs, and how it is; exit code 1 when it does not.')
    .option('--pidfile <path>', 'the pidfile of the server')
    .option('--json', 'print JSON')
    .addHelpText('after', help.STATUS_EXAMPLES)
    .action(async (options: StopOptions) => {
      const { status } = require('./status') as typeof import('./status');
      await status({ pidfile: options.pidfile ?? null, target: targetOf(options), json: options.json ?? false });
    });
}

function addClient(program: Command): void {
  addTargetOptions(program.command('cli').summary('talk to a server'))
    .description('Talk to a server.')
    .argument('[command...]', 'a command of the server and its arguments')
    .option('-n, --db <number>', 'the database', count, 0)
    .option('-2, --resp2', 'speak RESP2')
    .option('--raw', 'print replies without decoration, the default for pipes')
    .option('--json', 'print replies as JSON')
    .passThroughOptions()
    .addHelpText('after', help.CLI_EXAMPLES)
    .action(async (words: string[], options: ClientOptions) => {
      const { cli } = require('./cli') as typeof import('./cli');
      process.exitCode = await cli({
        target: targetOf(options),
        database: options.db,
        resp: options.resp2 === true ? 2 : 3,
        json: options.json ?? false,
        raw: options.raw ?? process.stdout.isTTY !== true,
        words,
      });
    });
}

/** The whole program. */
export function createProgram(): Command {
  const program = new Command('redis-lite-native')
    .description('A Redis-compatible server with a multi-threaded native core.')
    .version(nativeVersion(), '-v, --version', 'print the version')
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', help.PROGRAM_EXAMPLES);
  directivesCommand(program, 'start', 'run a server', help.START_EXAMPLES).action(async (words: string[]) => {
    const { start } = require('./start') as typeof import('./start');
    await start(words);
  });
  addStop(program);
  addStatus(program);
  directivesCommand(program, 'config', 'print the effective configuration', help.CONFIG_EXAMPLES)
    .option('--json', 'print JSON')
    .action((words: string[], options: { readonly json?: boolean }) => {
      const { config } = require('./config') as typeof import('./config');
      config(options.json === true ? [...words, '--json'] : words);
    });
  addClient(program);
  addBench(program);
  program
    .command('completion')
    .summary('print a completion script')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', help.COMPLETION_EXAMPLES)
    .action((shell: string) => {
      const { completion } = require('./completion') as typeof import('./completion');
      process.stdout.write(completion(shell));
    });
  return program;
}
