/** A bounded queue of events that is read with `for await`. */

import type { ServerEvent } from './events';

type Waiter = (result: IteratorResult<ServerEvent, undefined>) => void;

/**
 * Keeps at most `capacity` unread events.  When a reader falls behind, newer events are
 * counted instead of kept, and one `events-dropped` event says how many.
 */
export class EventStream implements AsyncIterableIterator<ServerEvent, undefined> {
  readonly #capacity: number;
  readonly #onClose: () => void;
  #events: ServerEvent[] = [];
  #waiters: Waiter[] = [];
  #dropped = 0;
  #ended = false;

  constructor(capacity: number, onClose: () => void) {
    this.#capacity = Math.max(1, capacity);
    this.#onClose = onClose;
  }

  /** Adds `event` for the reader.  `stopped` is always kept. */
  push(event: ServerEvent): void {
    if (this.#ended) {
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter({ done: false, value: event });
    } else if (this.#events.length < this.#capacity || event.type === 'stopped') {
      this.#tellDropped(event.at);
      this.#events.push(event);
    } else {
      this.#dropped += 1;
    }
  }

  /** No more events follow. */
  end(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#onClose();
    for (const waiter of this.#waiters.splice(0)) {
      waiter({ done: true, value: undefined });
    }
  }

  next(): Promise<IteratorResult<ServerEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#ended) {
      return Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Called by a `for await` loop that is left early. */
  return(): Promise<IteratorResult<ServerEvent, undefined>> {
    this.#events = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #tellDropped(at: number): void {
    if (this.#dropped > 0) {
      this.#events.push({ type: 'events-dropped', at, count: this.#dropped });
      this.#dropped = 0;
    }
  }
}
