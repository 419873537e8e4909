/** How commands end: 0 for success, 1 for a failure, 2 for a mistake in how they were called. */

import { isServerError } from '../errors';

/** A mistake of the caller: exit code 2. */
export class UsageError extends Error {
  override readonly name: 'UsageError' = 'UsageError';
}

/** A failure that the message explains whole: exit code 1. */
export class CommandError extends Error {
  override readonly name: 'CommandError' = 'CommandError';
}

const USAGE_CODES: ReadonlySet<string> = new Set(['INVALID_OPTION', 'UNKNOWN_OPTION', 'CONFIG_FILE']);

/** The exit code that `error` asks for. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError || (isServerError(error) && USAGE_CODES.has(error.code)) ? 2 : 1;
}

/** One line for standard error: the code, where there is one, and the message. */
export function errorLine(error: unknown): string {
  if (isServerError(error)) {
    return `redis-lite-native: ${error.code}: ${error.message}\n`;
  }
  if (error instanceof UsageError || error instanceof CommandError) {
    return `redis-lite-native: ${error.message}\n`;
  }
  return `redis-lite-native: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}
