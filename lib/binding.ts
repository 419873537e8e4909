/** The one module that knows the native addon: what it exports, and how it is found. */

import path from 'node:path';
import { AddonMissingError } from './errors';

/** How a directive's text is read. */
export type DirectiveKind = 'bool' | 'integer' | 'memory' | 'enum' | 'string' | 'list';

/** One row of the core's configuration table. */
export interface DirectiveRow {
  readonly name: string;
  readonly alias: string | null;
  readonly kind: DirectiveKind;
  /** The default, as redis.conf would write it. */
  readonly fallback: string;
  readonly min: number;
  readonly max: number;
  readonly choices: readonly string[];
  /** CONFIG SET refuses it. */
  readonly atStartOnly: boolean;
  /** A later line adds to earlier ones. */
  readonly repeats: boolean;
  /** Known from Redis, but the core has no such feature: only the default is taken. */
  readonly fixed: boolean;
  readonly summary: string;
}

/** A failed start or configure, as the core tells it. */
export interface NativeFailure {
  readonly code: string;
  readonly osError: number;
  readonly text: string;
}

/** An event as the core tells it; which fields mean something depends on `type`. */
export interface NativeEvent {
  readonly type: number;
  readonly at: number;
  readonly clientId: number;
  readonly count: number;
  readonly value: number;
  readonly reason: number;
  readonly level: number;
  readonly name: string;
  readonly text: string;
}

/** Functions that build reply values in the caller's own realm. */
export interface ReplyMakers {
  error(text: string): unknown;
  map(flat: readonly unknown[]): unknown;
  set(members: readonly unknown[]): unknown;
  bigNumber(digits: string): unknown;
}

/** Runs one command; with `buffers`, bulk strings come back as Buffers. */
export type NativeCall = (args: readonly (string | Uint8Array)[], buffers: boolean) => unknown;

/** What the core takes when a server is created. */
export interface NativeOptions {
  readonly installSignalHandlers: boolean;
  /** 0 takes the core's default. */
  readonly eventCapacity: number;
  /** 0 takes a seed from the system. */
  readonly randomSeed: bigint;
}

/** A server of the core.  All methods belong to the thread that created it. */
export interface NativeServer {
  configure(name: string, value: string): NativeFailure | null;
  /** The file that CONFIG REWRITE is to bring up to date. */
  setConfigFile(path: string): void;
  directive(name: string): string | null;
  /** While the server runs, `onEventsReady` is called when events wait; it must not throw. */
  start(onEventsReady: () => void): Promise<NativeFailure | null>;
  stop(): Promise<null>;
  stopSync(): void;
  requestStop(): void;
  port(): number;
  running(): boolean;
  nextEvents(max: number): NativeEvent[];
  /** Bits of the event types, in the order of `enum rln_event_type`, that are not to be told. */
  muteEvents(types: number): void;
  createClient(makers: ReplyMakers): NativeCall;
  keepAlive(keep: boolean): void;
}

/** What the load generator takes; see the names in `bench/load.ts`. */
export interface NativeLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string | null;
  readonly threads: number;
  readonly connections: number;
  readonly idleConnections: number;
  readonly pipeline: number;
  readonly commandCount: number;
  readonly durationMs: number;
  readonly rate: number;
  readonly keys: number;
  readonly keyCount: number;
  readonly zipfTheta: number;
  readonly intervalMs: number;
  readonly seed: number;
  readonly sizes: readonly { readonly min: number; readonly max: number; readonly weight: number }[];
  readonly commands: readonly {
    readonly words: readonly string[];
    readonly weight: number;
    readonly asLine: boolean;
    readonly repliesValue: boolean;
  }[];
}

/** How far a load is. */
export interface NativeLoadProgress {
  readonly replies: number;
  readonly errors: number;
  readonly elapsedNs: number;
  readonly running: boolean;
}

/** What a load has measured. */
export interface NativeLoadResult {
  readonly sent: number;
  readonly replies: number;
  readonly errors: number;
  readonly misses: number;
  readonly badValues: number;
  readonly unfinished: number;
  readonly lostConnections: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly elapsedNs: number;
  readonly intervalMs: number;
  readonly firstError: string;
  readonly intervals: Float64Array;
  readonly latencies: Float64Array;
}

/** A load of the native generator. */
export interface NativeLoad {
  /** Resolves with null, or with why it failed. */
  run(): Promise<string | null>;
  progress(): NativeLoadProgress;
  stop(): void;
  result(): NativeLoadResult;
}

interface Addon {
  readonly NativeLoad: new (options: NativeLoadOptions) => NativeLoad;
  readonly NativeServer: new (options: NativeOptions) => NativeServer;
  directives(): (Omit<DirectiveRow, 'kind'> & { readonly kind: number })[];
  version(): string;
}

const KINDS: readonly DirectiveKind[] = ['bool', 'integer', 'memory', 'enum', 'string', 'list'];

let loaded: Addon | undefined;

function addon(): Addon {
  if (loaded === undefined) {
    // Required on first use, so that `--help` and the types need no addon.
    const load = require('node-gyp-build') as (directory: string) => unknown;
    try {
      loaded = load(path.join(__dirname, '..')) as Addon;
    } catch (cause) {
      throw new AddonMissingError({ cause });
    }
  }
  return loaded;
}

/** The core's configuration table. */
export function nativeDirectives(): readonly DirectiveRow[] {
  return addon()
    .directives()
    .map((row) => ({ ...row, kind: KINDS[row.kind] ?? 'string' }));
}

/** The version of the core, which is the package's. */
export function nativeVersion(): string {
  return addon().version();
}

/** Creates a server that does not run yet. */
export function createNativeServer(options: NativeOptions): NativeServer {
  return new (addon().NativeServer)(options);
}

/** Creates a load that does not run yet; throws when the options make no sense. */
export function createNativeLoad(options: NativeLoadOptions): NativeLoad {
  return new (addon().NativeLoad)(options);
}
