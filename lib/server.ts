/** The server as Node sees it: one lifecycle around one native server. */

import { createNativeServer, type NativeEvent, type NativeServer } from './binding';
import type { ResolvedConfig } from './config/resolve';
import { ServerStoppedError } from './errors';
import { EventHub } from './event-hub';
import { EventPump } from './event-pump';
import type { EventOf, ListenAddress, ServerEvent, ServerEventType, StopReason } from './events';
import { forgetAtExit, stopAtExit } from './exit-stop';
import { parseInfo, type ServerInfo } from './info';
import type { Logger } from './log/logger';
import { decodeEvent, type LogLine, mutedTypes } from './native-events';
import { configureError, startError } from './native-failure';
import type { ServerOptions } from './options';
import { defaultLogger, resolveOptions } from './resolve-options';
import { RuntimeConfig } from './runtime-config';
import { Store } from './store';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly done: Promise<ListenAddress> }
  | { readonly kind: 'running'; readonly address: ListenAddress }
  | { readonly kind: 'stopping'; readonly done: Promise<void> }
  | { readonly kind: 'stopped' };

/** Where a server is in its life. */
export type ServerState = State['kind'];

/** Unread events that `for await` keeps unless told otherwise. */
const STREAM_CAPACITY = 1024;

/**
 * A server in this process.  It listens from {@link start} to {@link stop}, SHUTDOWN, or,
 * with `handleSignals`, a signal.  While it runs it keeps the process alive, see {@link unref}.
 *
 * @example
 * ```ts
 * await using server = createServer({ port: 0, maxclients: 100 });
 * const address = await server.start();
 * server.on('client-connected', ({ peer }) => console.log(`hello ${peer}`));
 * server.store.set('greeting', 'hello');
 * ```
 */
export class RedisLiteServer implements AsyncDisposable {
  /** The configuration that the server was created with, and where each value came from. */
  readonly configuration: ResolvedConfig;
  /** The store, in this process and without a socket. */
  readonly store: Store;
  /** CONFIG GET and CONFIG SET. */
  readonly config: RuntimeConfig;

  readonly #native: NativeServer;
  readonly #inspector: Store;
  readonly #pump: EventPump;
  readonly #hub = new EventHub(() => this.#tellWanted());
  readonly #logger: Logger;
  #addresses: ListenAddress[] = [];
  #state: State = { kind: 'idle' };
  #stopReason: StopReason | null = null;
  #stopRequested = false;
  #keepAlive = true;

  /**
   * Checks `options`; nothing is opened before {@link start}.
   *
   * @throws {@link InvalidOptionError}, {@link UnknownOptionError}, {@link ConfigFileError}
   */
  constructor(options: ServerOptions = {}, configuration: ResolvedConfig = resolveOptions(options)) {
    this.configuration = configuration;
    this.#logger = options.logger ?? defaultLogger(configuration);
    this.#native = createNativeServer({
      installSignalHandlers: options.handleSignals ?? false,
      eventCapacity: options.eventCapacity ?? 0,
      randomSeed: options.randomSeed ?? 0n,
    });
    this.#pump = new EventPump(this.#native, (event) => this.#receive(event));
    this.store = new Store(this.#native);
    // A client of its own: whatever state `store` is in, such as inside MULTI, is not its business.
    this.#inspector = new Store(this.#native);
    this.config = new RuntimeConfig(this.#inspector);
    this.#configure();
    this.#tellWanted();
  }

  /** Where the server is in its life. */
  get state(): ServerState {
    return this.#state.kind;
  }

  /** The first address that the server listens on, or null when it does not run. */
  get address(): ListenAddress | null {
    return this.#state.kind === 'running' ? this.#state.address : null;
  }

  /** Every address that the server listens on. */
  get addresses(): readonly ListenAddress[] {
    return this.#state.kind === 'running' ? this.#addresses : [];
  }

  /** The TCP port, or 0 when there is none or the server does not run. */
  get port(): number {
    return this.#state.kind === 'running' ? this.#native.port() : 0;
  }

  /** Binds, listens, and resolves with the first address.  Idempotent while it runs. */
  start(): Promise<ListenAddress> {
    switch (this.#state.kind) {
      case 'idle':
        return this.#begin();
      case 'starting':
        return this.#state.done;
      case 'running':
        return Promise.resolve(this.#state.address);
      case 'stopping':
      case 'stopped':
        return Promise.reject(new ServerStoppedError());
    }
  }

  /** Stops once, whatever the state, and resolves when all native threads have joined. */
  stop(): Promise<void> {
    switch (this.#state.kind) {
      case 'idle':
        this.#state = { kind: 'stopped' };
        this.#hub.end();
        return Promise.resolve();
      case 'starting':
        return this.#state.done.then(
          () => this.stop(),
          () => this.stop(),
        );
      case 'running':
        this.#stopRequested = true;
        return this.#finish();
      case 'stopping':
        return this.#state.done;
      case 'stopped':
        return Promise.resolve();
    }
  }

  /** The same as {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** INFO as an object, whole or of one section. */
  info(section?: string): ServerInfo {
    const text = section === undefined ? this.#inspector.call('INFO') : this.#inspector.call('INFO', section);
    return parseInfo(String(text));
  }

  /** Calls `listener` for each event of `type`. */
  on<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): this {
    this.#hub.on(type, listener);
    return this;
  }

  /** Calls `listener` for the next event of `type`. */
  once<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): this {
    this.#hub.once(type, listener);
    return this;
  }

  /** Takes off a listener of {@link on} or {@link once}. */
  off<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): this {
    this.#hub.off(type, listener);
    return this;
  }

  /**
   * All events from now on; the loop ends after `stopped`.  A reader that falls behind by
   * more than `capacity` events gets one `events-dropped` instead of what it missed.
   */
  events(options: { readonly capacity?: number } = {}): AsyncIterableIterator<ServerEvent, undefined> {
    return this.#hub.stream(options.capacity ?? STREAM_CAPACITY);
  }

  /** Lets the process end while the server runs; it is stopped then. */
  unref(): this {
    this.#keepAlive = false;
    this.#native.keepAlive(false);
    return this;
  }

  /** Undoes {@link unref}. */
  ref(): this {
    this.#keepAlive = true;
    this.#native.keepAlive(true);
    return this;
  }

  #configure(): void {
    if (this.configuration.file !== null) {
      this.#native.setConfigFile(this.configuration.file);
    }
    for (const entry of this.configuration.given().filter(({ directive }) => directive.native)) {
      for (const line of entry.lines) {
        const failure = this.#native.configure(entry.directive.name, line);
        if (failure !== null) {
          throw configureError(entry, line, failure);
        }
      }
    }
  }

  /** What nobody listens to the core need not tell: each client that comes and goes would be two events. */
  #tellWanted(): void {
    this.#native.muteEvents(mutedTypes((type) => this.#hub.wants(type)));
  }

  #begin(): Promise<ListenAddress> {
    stopAtExit(this.#native);
    const started = this.#native.start(() => this.#pump.wake());
    this.#native.keepAlive(this.#keepAlive);
    const done = started.then((failure) => {
      if (failure !== null) {
        forgetAtExit(this.#native);
        this.#pump.drain();
        this.#addresses = [];
        this.#state = { kind: 'idle' };
        throw startError(this.configuration, failure);
      }
      // Only now may `stopping` end the run; until here it waits in the queue.
      this.#pump.drain();
      return this.#enterRunning();
    });
    this.#state = { kind: 'starting', done };
    return done;
  }

  #enterRunning(): ListenAddress {
    const first = this.#addresses.find(({ kind }) => kind === 'tcp') ?? this.#addresses[0];
    const address = first ?? { kind: 'tcp', host: this.configuration.text('bind'), port: this.#native.port() };
    this.#state = { kind: 'running', address };
    if (this.#stopReason !== null) {
      // It was told to stop by a signal or a client before we got here.
      this.#finish().catch(() => undefined);
    }
    return address;
  }

  /** Joins the threads, delivers what is left, and tells everyone. */
  #finish(): Promise<void> {
    const done = this.#native.stop().then(() => {
      forgetAtExit(this.#native);
      this.#pump.drain();
      this.#state = { kind: 'stopped' };
      this.#hub.emit({ type: 'stopped', at: Date.now(), reason: this.#stopReason ?? 'requested' });
      this.#hub.end();
    });
    this.#state = { kind: 'stopping', done };
    return done;
  }

  #receive(native: NativeEvent): void {
    const event = decodeEvent(native);
    if (event === null) {
      return;
    }
    switch (event.type) {
      case 'log':
        this.#log(event);
        break;
      case 'listening':
        this.#addresses = [...this.#addresses, event.address];
        this.#hub.emit(event);
        break;
      case 'stopping':
        this.#stopping(event);
        break;
      case 'stopped':
        // Told to listeners by #finish(), when the threads have been joined.
        this.#stopReason ??= 'requested';
        this.#finishWhenRunning();
        break;
      default:
        this.#hub.emit(event);
    }
  }

  #stopping(event: EventOf<'stopping'>): void {
    const requested = this.#stopRequested && event.signal === null;
    this.#stopReason = requested ? 'requested' : event.reason;
    this.#hub.emit({ ...event, reason: this.#stopReason });
    this.#finishWhenRunning();
  }

  /** A signal or a client stops the server: it remains to join its threads. */
  #finishWhenRunning(): void {
    if (this.#state.kind === 'running') {
      this.#finish().catch(() => undefined);
    }
  }

  #log(line: LogLine): void {
    try {
      this.#logger[line.level](line.message);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/**
 * Creates a server that does not run yet.
 *
 * @example
 * ```ts
 * const server = createServer({ port: 0, ioModel: 'events' });
 * const address = await server.start();
 * ```
 */
export function createServer(options: ServerOptions = {}): RedisLiteServer {
  return new RedisLiteServer(options);
}
