/** Turns the core's plain events into {@link ServerEvent}s and log lines. */

import type { NativeEvent } from './binding';
import type { DisconnectReason, ListenAddress, ServerEvent, ServerEventType } from './events';
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

type Decoded = ServerEvent | LogLine;

/** In the order of `enum rln_event_type`. */
const DECODERS: { readonly [Type in Decoded['type']]: (native: NativeEvent) => Extract<Decoded, { type: Type }> } = {
  starting: ({ at }) => ({ type: 'starting', at }),
  listening: (native) => ({ type: 'listening', at: native.at, address: addressOf(native) }),
  'client-connected': ({ at, clientId, name }) => ({ type: 'client-connected', at, clientId, peer: name }),
  'client-disconnected': ({ at, clientId, name, reason }) => ({
    type: 'client-disconnected',
    at,
    clientId,
    peer: name,
    reason: REASONS[reason] ?? 'socket-error',
  }),
  'client-error': ({ at, clientId, name, text }) => ({
    type: 'client-error',
    at,
    clientId,
    peer: name,
    message: text,
  }),
  'limit-reached': ({ at, name, value, count }) => ({
    type: 'limit-reached',
    at,
    directive: name,
    limit: value,
    refused: count,
  }),
  'keys-expired': ({ at, count }) => ({ type: 'keys-expired', at, count }),
  'keys-evicted': ({ at, count }) => ({ type: 'keys-evicted', at, count }),
  'slow-command': ({ at, clientId, name, value }) => ({
    type: 'slow-command',
    at,
    clientId,
    command: name,
    microseconds: value,
  }),
  'config-changed': ({ at, name, text }) => ({ type: 'config-changed', at, directive: name, value: text }),
  warning: ({ at, name, text }) => ({ type: 'warning', at, code: name, message: text }),
  log: ({ at, level, text }) => ({ type: 'log', at, level: levelOfCore(level), message: text }),
  'events-dropped': ({ at, count }) => ({ type: 'events-dropped', at, count }),
  stopping: ({ at, value }) => {
    const signal = SIGNALS.get(value) ?? null;
    return { type: 'stopping', at, reason: signal === null ? 'shutdown-command' : 'signal', signal };
  },
  // The server puts the true reason in, which it knows from `stopping`.
  stopped: ({ at }) => ({ type: 'stopped', at, reason: 'requested' }),
};

const TYPES = Object.keys(DECODERS) as Decoded['type'][];

/** Gives `native` its type, or null when the core is newer than this file. */
export function decodeEvent(native: NativeEvent): Decoded | null {
  const type = TYPES[native.type];
  return type === undefined ? null : DECODERS[type](native);
}

/** The bits of the types that `wants` says no to, as the core takes them. */
export function mutedTypes(wants: (type: ServerEventType) => boolean): number {
  return TYPES.reduce((bits, type, bit) => (type === 'log' || wants(type) ? bits : bits | (1 << bit)), 0);
}
