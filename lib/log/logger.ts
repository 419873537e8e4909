/** The logger that a server takes, and how the core's levels map to it. */

/** Levels, as pino names them. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** `log.info('text')` or `log.info({ field: 1 }, 'text')`. */
export interface LogFunction {
  (message: string): void;
  (fields: object, message?: string): void;
}

/** What a server writes its log to.  A pino logger is one. */
export type Logger = { readonly [Level in LogLevel]: LogFunction };

/** Every level, the least urgent first. */
export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** In the order of `enum rln_log_level`: debug, verbose, notice, warning. */
const CORE_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn'];

/** The level of a log line of the core. */
export function levelOfCore(level: number): LogLevel {
  return CORE_LEVELS[level] ?? 'info';
}

/** Takes a finished line, which ends with a newline. */
export type LineWriter = (line: string) => void;

/** Writes one record as a line. */
export type LineFormat = (level: LogLevel, at: Date, fields: object, message: string) => string;

/** A logger that formats each record with `format` and hands the line to `write`. */
export function lineLogger(format: LineFormat, write: LineWriter): Logger {
  const method =
    (level: LogLevel): LogFunction =>
    (first: object | string, message?: string) => {
      const fields = typeof first === 'string' ? {} : first;
      write(format(level, new Date(), fields, typeof first === 'string' ? first : (message ?? '')));
    };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
  };
}

/** A logger that drops everything. */
export const SILENT_LOGGER: Logger = lineLogger(
  () => '',
  () => undefined,
);
