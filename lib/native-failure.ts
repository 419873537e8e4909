/** Turns the core's failures into the package's typed errors. */

import type { NativeFailure } from './binding';
import { describeOrigin } from './config/origin';
import type { ConfigEntry, ResolvedConfig } from './config/resolve';
import { describeExpected } from './config/schema';
import {
  AddressNotAvailableError,
  type AnyServerError,
  InvalidOptionError,
  PermissionDeniedError,
  PortInUseError,
  StartFailedError,
} from './errors';

/** A sentence of the core as part of a sentence of ours. */
function phrase(text: string): string {
  return text.replace(/\.$/, '');
}

/** The error for a directive that the core refused. */
export function configureError(entry: ConfigEntry, line: string, failure: NativeFailure): AnyServerError {
  const { directive, origin } = entry;
  const expected = directive.fixed
    ? `${directive.fallback || '""'}, because this server has no such feature`
    : `${describeExpected(directive)} (${phrase(failure.text)})`;
  return new InvalidOptionError(directive.name, expected, JSON.stringify(line), describeOrigin(origin));
}

/** The error for a start that failed. */
export function startError(config: ResolvedConfig, failure: NativeFailure): AnyServerError {
  const detail = phrase(failure.text);
  switch (failure.code) {
    case 'EADDRINUSE':
      return new PortInUseError(Number(config.text('port')), detail);
    case 'EADDRNOTAVAIL':
      return new AddressNotAvailableError(config.text('bind'), detail);
    case 'EACCES':
    case 'EPERM':
      return new PermissionDeniedError(detail);
    default:
      return new StartFailedError(failure.code, failure.osError, detail);
  }
}
