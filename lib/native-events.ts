/** Turns the core's plain events into {@link ServerEvent}s and log lines. */

import type { NativeEvent } from './binding';
import type { DisconnectReason, ListenAddress, ServerEvent } from './events';
import { type LogLevel, levelOfCore } from './log/logger';

/** A line that the core wants logged. */
export interface LogLine {
  readonly type: 'log';
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

/** In the order of `enum rln_close_reason`. */
const REASONS: readonly DisconnectReason[] = [
  'by-client',
  'quit',
  'killed',
  'idle-timeout',
  'protocol-error',
  'query-buffer-limit',
  'output-buffer-limit',
  'client-memory-limit',
  'socket-error',
  'server-stop',
];

const SIGNALS: ReadonlyMap<number, 'SIGINT' | 'SIGTERM'> = new Map([
  [2, 'SIGINT'],
  [15, 'SIGTERM'],
]);

function addressOf(native: NativeEvent): ListenAddress {
  return native.value > 0
    ? { kind: 'tcp', host: native.name, port: native.value }
    : { kind: 'unix', path: native.name };
}

type Decoder = (native: NativeEvent) => ServerEvent | LogLine;

/** In the order of `enum rln_event_type`. */
const DECODERS: readonly Decoder[] = [
  ({ at }) => ({ type: 'starting', at }),
  (native) => ({ type: 'listening', at: native.at, address: addressOf(native) }),
  ({ at, clientId, name }) => ({ type: 'client-connected', at, clientId, peer: name }),
  ({ at, clientId, name, reason }) => ({
    type: 'client-disconnected',
    at,
    clientId,
    peer: name,
    reason: REASONS[reason] ?? 'socket-error',
  }),
  ({ at, clientId, name, text }) => ({ type: 'client-error', at, clientId, peer: name, message: text }),
  ({ at, name, value, count }) => ({ type: 'limit-reached', at, directive: name, limit: value, refused: count }),
  ({ at, count }) => ({ type: 'keys-expired', at, count }),
  ({ at, count }) => ({ type: 'keys-evicted', at, count }),
  ({ at, clientId, name, value }) => ({ type: 'slow-command', at, clientId, command: name, microseconds: value }),
  ({ at, name, text }) => ({ type: 'config-changed', at, directive: name, value: text }),
  ({ at, name, text }) => ({ type: 'warning', at, code: name, message: text }),
  ({ at, level, text }) => ({ type: 'log', at, level: levelOfCore(level), message: text }),
  ({ at, count }) => ({ type: 'events-dropped', at, count }),
  ({ at, value }) => {
    const signal = SIGNALS.get(value) ?? null;
    return { type: 'stopping', at, reason: signal === null ? 'shutdown-command' : 'signal', signal };
  },
  // The server puts the true reason in, which it knows from `stopping`.
  ({ at }) => ({ type: 'stopped', at, reason: 'requested' }),
];

/** Gives `native` its type, or null when the core is newer than this file. */
export function decodeEvent(native: NativeEvent): ServerEvent | LogLine | null {
  return DECODERS[native.type]?.(native) ?? null;
}
