/** Every error that the package throws, as one closed union told apart by `code`. */

/** Match on `code`, never on `message`: codes are stable, messages are for people. */
export abstract class ServerError<Code extends string> extends Error {
  readonly brand: 'redis-lite-native' = 'redis-lite-native';
  abstract readonly code: Code;
}

/** The port is taken by another process. */
export class PortInUseError extends ServerError<'PORT_IN_USE'> {
  override readonly name: 'PortInUseError' = 'PortInUseError';
  readonly code: 'PORT_IN_USE' = 'PORT_IN_USE';
  readonly port: number;

  constructor(port: number, detail: string) {
    super(`Port ${port} is already in use (${detail}). Use port 0 to let the system pick one.`);
    this.port = port;
  }
}

/** An address of `bind` does not belong to this machine. */
export class AddressNotAvailableError extends ServerError<'ADDRESS_NOT_AVAILABLE'> {
  override readonly name: 'AddressNotAvailableError' = 'AddressNotAvailableError';
  readonly code: 'ADDRESS_NOT_AVAILABLE' = 'ADDRESS_NOT_AVAILABLE';
  /** The value of `bind`. */
  readonly bind: string;

  constructor(bind: string, detail: string) {
    super(`Cannot listen on \`bind ${bind}\`: ${detail}.`);
    this.bind = bind;
  }
}

/** The system forbids what the start needs: a port below 1024, a socket's folder, a log file. */
export class PermissionDeniedError extends ServerError<'PERMISSION_DENIED'> {
  override readonly name: 'PermissionDeniedError' = 'PermissionDeniedError';
  readonly code: 'PERMISSION_DENIED' = 'PERMISSION_DENIED';

  constructor(detail: string) {
    super(`Permission denied: ${detail}.`);
  }
}

/** The server could not start for a reason that has no class of its own. */
export class StartFailedError extends ServerError<'START_FAILED'> {
  override readonly name: 'StartFailedError' = 'StartFailedError';
  readonly code: 'START_FAILED' = 'START_FAILED';
  /** The core's stable word for the cause, such as `EMFILE` or `OUT_OF_MEMORY`. */
  readonly reason: string;
  /** The system's errno, or 0. */
  readonly osError: number;

  constructor(reason: string, osError: number, detail: string) {
    super(`The server could not start: ${detail}.`);
    this.reason = reason;
    this.osError = osError;
  }
}

/** A directive has a value that it cannot have. */
export class InvalidOptionError extends ServerError<'INVALID_OPTION'> {
  override readonly name: 'InvalidOptionError' = 'InvalidOptionError';
  readonly code: 'INVALID_OPTION' = 'INVALID_OPTION';
  readonly option: string;
  /** What would have been right, as a phrase. */
  readonly expected: string;
  /** Where the value was given: `redis.conf:7`, `--port`, `REDIS_LITE_PORT`, `options.port`. */
  readonly origin: string;

  constructor(option: string, expected: string, received: string, origin: string) {
    super(`${origin}: Expected \`${option}\` to be ${expected}, got ${received}.`);
    this.option = option;
    this.expected = expected;
    this.origin = origin;
  }
}

/** There is no such directive. */
export class UnknownOptionError extends ServerError<'UNKNOWN_OPTION'> {
  override readonly name: 'UnknownOptionError' = 'UnknownOptionError';
  readonly code: 'UNKNOWN_OPTION' = 'UNKNOWN_OPTION';
  readonly option: string;
  /** The nearest name that exists, if one is near. */
  readonly suggestion: string | null;
  /** Where the name was given. */
  readonly origin: string;

  constructor(option: string, suggestion: string | null, origin: string) {
    const hint = suggestion === null ? 'Expected the name of a directive' : `Did you mean \`${suggestion}\``;
    super(`${origin}: Unknown option \`${option}\`. ${hint}${suggestion === null ? '.' : '?'}`);
    this.option = option;
    this.suggestion = suggestion;
    this.origin = origin;
  }
}

/** A configuration file cannot be read or has a line that is not a directive. */
export class ConfigFileError extends ServerError<'CONFIG_FILE'> {
  override readonly name: 'ConfigFileError' = 'ConfigFileError';
  readonly code: 'CONFIG_FILE' = 'CONFIG_FILE';
  readonly path: string;
  /** Counted from 1; 0 when the file as a whole is meant. */
  readonly line: number;

  constructor(path: string, line: number, detail: string) {
    super(line > 0 ? `${path}:${line}: ${detail}.` : `${path}: ${detail}.`);
    this.path = path;
    this.line = line;
  }
}

/** A server that has stopped, or is about to, was asked to start. */
export class ServerStoppedError extends ServerError<'SERVER_STOPPED'> {
  override readonly name: 'ServerStoppedError' = 'ServerStoppedError';
  readonly code: 'SERVER_STOPPED' = 'SERVER_STOPPED';

  constructor() {
    super('A server that has been stopped does not start again. Create another one.');
  }
}

/** A command was answered with an error. */
export class ReplyError extends ServerError<'REPLY_ERROR'> {
  override readonly name: 'ReplyError' = 'ReplyError';
  readonly code: 'REPLY_ERROR' = 'REPLY_ERROR';
  /** The first word of the reply: `ERR`, `WRONGTYPE`, `NOAUTH`, ... */
  readonly kind: string;

  constructor(text: string) {
    super(text);
    this.kind = text.slice(0, /^[A-Z0-9_]+(?= )/.exec(text)?.[0].length ?? 0);
  }
}

/** The native addon is not there for this system, or was built for another one. */
export class AddonMissingError extends ServerError<'ADDON_MISSING'> {
  override readonly name: 'AddonMissingError' = 'AddonMissingError';
  readonly code: 'ADDON_MISSING' = 'ADDON_MISSING';

  constructor(options: ErrorOptions) {
    super(
      `The native addon for ${process.platform}-${process.arch} could not be loaded. ` +
        'In a clone of the repository `npm run build` makes it.',
      options,
    );
  }
}

/** Every error of the package. */
export type AnyServerError =
  | PortInUseError
  | AddressNotAvailableError
  | PermissionDeniedError
  | StartFailedError
  | InvalidOptionError
  | UnknownOptionError
  | ConfigFileError
  | ServerStoppedError
  | ReplyError
  | AddonMissingError;

/** The literal `code` of an error of the package. */
export type ServerErrorCode = AnyServerError['code'];

/** True when `value` is an error of this package, whichever copy of the package made it. */
export function isServerError(value: unknown): value is AnyServerError {
  return value instanceof Error && 'brand' in value && value.brand === 'redis-lite-native';
}
