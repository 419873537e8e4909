/** What a server reports, as one closed union told apart by `type`. */

/** A TCP address that the server listens on. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** A Unix socket that the server listens on. */
export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

/** Where a server listens. */
export type ListenAddress = TcpAddress | UnixAddress;

/** Why a client left. */
export type DisconnectReason =
  | 'by-client'
  | 'quit'
  | 'killed'
  | 'idle-timeout'
  | 'protocol-error'
  | 'query-buffer-limit'
  | 'output-buffer-limit'
  | 'client-memory-limit'
  | 'socket-error'
  | 'server-stop';

/** Why a server stops: `stop()`, SIGINT or SIGTERM, the SHUTDOWN command. */
export type StopReason = 'requested' | 'signal' | 'shutdown-command';

/** Everything the server reports.  `type` tells the members apart; `at` is epoch milliseconds. */
export type ServerEvent =
  | { readonly type: 'starting'; readonly at: number }
  | { readonly type: 'listening'; readonly at: number; readonly address: ListenAddress }
  | { readonly type: 'client-connected'; readonly at: number; readonly clientId: number; readonly peer: string }
  | {
      readonly type: 'client-disconnected';
      readonly at: number;
      readonly clientId: number;
      readonly peer: string;
      readonly reason: DisconnectReason;
    }
  | {
      readonly type: 'client-error';
      readonly at: number;
      readonly clientId: number;
      readonly peer: string;
      readonly message: string;
    }
  | {
      /** A client was refused: `directive` (such as `maxclients`) allows no more than `limit`. */
      readonly type: 'limit-reached';
      readonly at: number;
      readonly directive: string;
      readonly limit: number;
      /** Clients refused so far. */
      readonly refused: number;
    }
  | { readonly type: 'keys-expired'; readonly at: number; readonly count: number }
  | { readonly type: 'keys-evicted'; readonly at: number; readonly count: number }
  | {
      readonly type: 'slow-command';
      readonly at: number;
      readonly clientId: number;
      readonly command: string;
      readonly microseconds: number;
    }
  | { readonly type: 'config-changed'; readonly at: number; readonly directive: string; readonly value: string }
  | {
      readonly type: 'warning';
      readonly at: number;
      /** Stable, in capitals. */
      readonly code: string;
      readonly message: string;
    }
  /** The queue was full: `count` events were not kept. */
  | { readonly type: 'events-dropped'; readonly at: number; readonly count: number }
  | {
      readonly type: 'stopping';
      readonly at: number;
      readonly reason: StopReason;
      readonly signal: 'SIGINT' | 'SIGTERM' | null;
    }
  /** The last event: every native thread has been joined. */
  | { readonly type: 'stopped'; readonly at: number; readonly reason: StopReason };

/** The `type` of an event. */
export type ServerEventType = ServerEvent['type'];

/** The member of {@link ServerEvent} with the given `type`. */
export type EventOf<Type extends ServerEventType> = Extract<ServerEvent, { readonly type: Type }>;

/** Every event type, in the order of a server's life. */
export const SERVER_EVENT_TYPES: readonly ServerEventType[] = [
  'starting',
  'listening',
  'client-connected',
  'client-disconnected',
  'client-error',
  'limit-reached',
  'keys-expired',
  'keys-evicted',
  'slow-command',
  'config-changed',
  'warning',
  'events-dropped',
  'stopping',
  'stopped',
];

/** Makes the compiler prove that a `switch` over a union has every case. */
export function assertNever(value: never): never {
  throw new TypeError(`Unexpected value ${String(value)}`);
}
