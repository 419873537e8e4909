/** Carries events from the core's queue into JavaScript without holding up the event loop. */

import type { NativeEvent, NativeServer } from './binding';

/** How many events are handed over before other work of the event loop gets its turn. */
const EVENTS_PER_TURN = 256;

/**
 * The core wakes us once when its queue turns from empty to not empty, so each wake-up
 * empties the queue, in portions.
 */
export class EventPump {
  readonly #native: Pick<NativeServer, 'nextEvents'>;
  readonly #deliver: (event: NativeEvent) => void;
  #scheduled = false;

  constructor(native: Pick<NativeServer, 'nextEvents'>, deliver: (event: NativeEvent) => void) {
    this.#native = native;
    this.#deliver = deliver;
  }

  /** Delivers a portion now and, if there may be more, the rest in later turns. */
  wake(): void {
    if (!this.#scheduled && !this.#portion()) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.wake();
      });
    }
  }

  /** Delivers everything that waits, now. */
  drain(): void {
    while (!this.#portion()) {
      // Each round takes a portion.
    }
  }

  /** True when the queue was emptied. */
  #portion(): boolean {
    const events = this.#native.nextEvents(EVENTS_PER_TURN);
    for (const event of events) {
      this.#deliver(event);
    }
    return events.length < EVENTS_PER_TURN;
  }
}
