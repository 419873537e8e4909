/**
 * A Redis-compatible server for Node: {@link createServer} makes one in this process.
 *
 * @packageDocumentation
 */

export { nativeVersion as version } from './binding';
export type { Directive } from './config/directives';
export type { Environment } from './config/environment';
export type { Origin } from './config/origin';
export type { ConfigEntry, ResolvedConfig } from './config/resolve';
export {
  AddonMissingError,
  AddressNotAvailableError,
  type AnyServerError,
  ConfigFileError,
  InvalidOptionError,
  isServerError,
  PermissionDeniedError,
  PortInUseError,
  ReplyError,
  ServerError,
  type ServerErrorCode,
  ServerStoppedError,
  StartFailedError,
  UnknownOptionError,
} from './errors';
export {
  assertNever,
  type DisconnectReason,
  type EventOf,
  type ListenAddress,
  SERVER_EVENT_TYPES,
  type ServerEvent,
  type ServerEventType,
  type StopReason,
  type TcpAddress,
  type UnixAddress,
} from './events';
export type { InfoValue, ServerInfo } from './info';
export type { LogFunction, Logger, LogLevel } from './log/logger';
export type { DirectiveOptions, EvictionPolicy, MemorySize, ServerOptions, YesNo } from './options';
export type { Reply } from './reply';
export type { RuntimeConfig } from './runtime-config';
export { createServer, RedisLiteServer, type ServerState } from './server';
export type { CommandArgument, SetOptions, Store } from './store';
