/** Hands events to listeners and to `for await` loops. */

import { EventStream } from './event-stream';
import type { EventOf, ServerEvent, ServerEventType } from './events';

type Listener = (event: ServerEvent) => void;

/** What a listener threw must not stop the others, nor vanish: it becomes an uncaught exception. */
function rethrowLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/** Listeners by event type, and the open streams of one server. */
export class EventHub {
  readonly #listeners = new Map<ServerEventType, { readonly listener: unknown; readonly call: Listener }[]>();
  readonly #streams = new Set<EventStream>();
  readonly #changed: () => void;
  #ended = false;

  /** `changed` is called when {@link wants} may answer differently. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Whether anybody would hear of an event of `type`. */
  wants(type: ServerEventType): boolean {
    return this.#streams.size > 0 || (this.#listeners.get(type)?.length ?? 0) > 0;
  }

  /** Calls `listener` for each event of `type`, until it is taken off. */
  on<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): void {
    this.#add(type, listener, listener as Listener);
  }

  /** Calls `listener` for the next event of `type` only. */
  once<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): void {
    this.#add(type, listener, (event) => {
      this.off(type, listener);
      (listener as Listener)(event);
    });
  }

  /** Takes `listener` off again. */
  off<Type extends ServerEventType>(type: Type, listener: (event: EventOf<Type>) => void): void {
    const left = (this.#listeners.get(type) ?? []).filter((entry) => entry.listener !== listener);
    this.#listeners.set(type, left);
    this.#changed();
  }

  /** Opens a stream of all events from now on; it has ended already after {@link end}. */
  stream(capacity: number): EventStream {
    const stream = new EventStream(capacity, () => {
      this.#streams.delete(stream);
      this.#changed();
    });
    if (this.#ended) {
      stream.end();
    } else {
      this.#streams.add(stream);
      this.#changed();
    }
    return stream;
  }

  /** Hands `event` to everyone.  Never throws. */
  emit(event: ServerEvent): void {
    for (const stream of this.#streams) {
      stream.push(event);
    }
    for (const { call } of this.#listeners.get(event.type) ?? []) {
      try {
        call(event);
      } catch (error) {
        rethrowLater(error);
      }
    }
  }

  /** Ends the streams: what they hold is still read, then their loops finish. */
  end(): void {
    this.#ended = true;
    for (const stream of [...this.#streams]) {
      stream.end();
    }
  }

  #add(type: ServerEventType, listener: unknown, call: Listener): void {
    // A copy, so that a listener may add or remove listeners while it is called.
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), { listener, call }]);
    this.#changed();
  }
}
