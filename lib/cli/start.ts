/** `start`: runs a server until it is told to stop. */

import { type ResolvedConfig, resolveConfig } from '../config/resolve';
import { chooseFormat, createLogger, toFile, toStandardOutput } from '../log/create';
import type { LineWriter, Logger } from '../log/logger';
import { RedisLiteServer } from '../server';
import { addressText, bannerFacts, bannerLine, bannerText } from './banner';
import { DAEMON_VARIABLE, runInBackground, tellStarter } from './daemon';
import { DEFAULT_PIDFILE, removePidfile, writePidfile } from './pidfile';
import { painterFor } from './style';

function drop(): void {
  // A daemon without a log file has nowhere to write to.
}

function writerFor(logfile: string): LineWriter {
  if (logfile !== '') {
    return toFile(logfile);
  }
  return process.env[DAEMON_VARIABLE] === undefined ? toStandardOutput : drop;
}

function announce(server: RedisLiteServer, logger: Logger, prettily: boolean): void {
  const facts = bannerFacts(server);
  if (prettily) {
    process.stdout.write(bannerText(facts, painterFor(process.stdout)));
  } else {
    logger.info(bannerLine(facts));
  }
  process.title = `redis-lite-native ${facts.addresses[0] ?? ''}`;
}

async function runHere(config: ResolvedConfig): Promise<void> {
  const logfile = config.text('logfile');
  const format = chooseFormat(config.text('log-format'), logfile !== '');
  const logger = createLogger(format, writerFor(logfile));
  const server = new RedisLiteServer({ logger, handleSignals: true }, config);
  const daemon = process.env[DAEMON_VARIABLE] !== undefined;
  const pidfile = config.text('pidfile') || (daemon ? DEFAULT_PIDFILE : '');
  const stopped = new Promise<void>((resolve) => server.once('stopped', () => resolve()));
  const address = await server.start();
  try {
    if (pidfile !== '') {
      writePidfile(pidfile);
    }
    announce(server, logger, format === 'redis' && logfile === '' && process.stdout.isTTY === true);
    tellStarter({ kind: 'ready', pid: process.pid, address: addressText(address) });
    await stopped;
  } finally {
    await server.stop();
    removePidfile(pidfile);
  }
}

/** Runs `start` with the words behind it. */
export async function start(argv: readonly string[]): Promise<void> {
  const words = argv.flatMap((word) => (word === '--json' ? ['--log-format', 'json'] : [word]));
  const config = resolveConfig({ argv: words, environment: process.env });
  if (config.flag('daemonize') && process.env[DAEMON_VARIABLE] === undefined) {
    await runInBackground(argv);
    return;
  }
  // The reader of our output may leave: that is no reason to stop serving.
  process.stdout.on('error', drop);
  try {
    await runHere(config);
  } catch (error) {
    tellStarter({ kind: 'failed', error });
    throw error;
  }
}
