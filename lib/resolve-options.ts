/** What {@link ServerOptions} come to: a checked configuration, and a logger. */

import { type ResolvedConfig, resolveConfig } from './config/resolve';
import { chooseFormat, createLogger, toFile, toStandardOutput } from './log/create';
import { type Logger, SILENT_LOGGER } from './log/logger';
import { OTHER_OPTIONS, type ServerOptions } from './options';

/** Reads and checks everything that `options` name. */
export function resolveOptions(options: ServerOptions): ResolvedConfig {
  return resolveConfig({
    configFile: options.configFile,
    environment: options.environment,
    argv: options.argv,
    options: options as { readonly [key: string]: unknown },
    otherOptions: OTHER_OPTIONS,
  });
}

/** Silent, unless the configuration says how or where to log. */
export function defaultLogger(configuration: ResolvedConfig): Logger {
  const logfile = configuration.text('logfile');
  const asked = configuration.given().some(({ directive }) => ['logfile', 'log-format'].includes(directive.name));
  if (!asked) {
    return SILENT_LOGGER;
  }
  const format = chooseFormat(configuration.text('log-format'), logfile !== '');
  return createLogger(format, logfile === '' ? toStandardOutput : toFile(logfile));
}
