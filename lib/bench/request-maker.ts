/** Commands from templates in JavaScript, for targets that have no socket. */

import type { CommandTemplate, KeyOrder, ValueSize } from './load';

const DIGITS = 12;
const ZIPF_THETA = 0.99;

/** The case that commands are made for. */
export interface RequestPlan {
  readonly commands: readonly CommandTemplate[];
  readonly keys: KeyOrder;
  readonly keyCount: number;
  readonly sizes: readonly ValueSize[];
}

function digits(id: number): string {
  return String(id).padStart(DIGITS, '0');
}

/** A draw of Zipf's law over `count` ranks, by the cumulated weights. */
function zipfDrawer(count: number): () => number {
  const cumulated = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -ZIPF_THETA;
    cumulated[rank] = sum;
  }
  return () => {
    const wanted = Math.random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulated[middle] ?? 0) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
}

/** Spreads ranks over the keys. */
function scatter(rank: number, count: number): number {
  return (Math.imul(rank + 1, 0x9e3779b1) >>> 0) % count;
}

function chooser<T extends { readonly weight: number }>(items: readonly T[]): () => T {
  const total = items.reduce((sum, item) => sum + item.weight, 0);
  return () => {
    let at = Math.random() * total;
    for (const item of items) {
      at -= item.weight;
      if (at < 0) {
        return item;
      }
    }
    return items[items.length - 1] as T;
  };
}

/** Makes argument lists. */
export class RequestMaker {
  readonly #plan: RequestPlan;
  readonly #chooseCommand: () => CommandTemplate;
  readonly #chooseSize: () => ValueSize;
  readonly #chooseKey: () => number;
  #newest: number;

  constructor(plan: RequestPlan) {
    this.#plan = plan;
    this.#newest = plan.keyCount;
    this.#chooseCommand = chooser(plan.commands);
    this.#chooseSize = chooser(plan.sizes);
    this.#chooseKey = this.#keyChooser();
  }

  /** The next command. */
  next(): string[] {
    const { keyCount } = this.#plan;
    let id = 0;
    const value = (): string => {
      const { min, max } = this.#chooseSize();
      return 'x'.repeat(min + Math.floor(Math.random() * (max - min + 1)));
    };
    return this.#chooseCommand().words.map((word) =>
      word.replace(/__(key|id|next_key|new_key|rand_int|value)__/g, (_, name: string) => {
        switch (name) {
          case 'value':
            return value();
          case 'rand_int':
            return digits(Math.floor(Math.random() * keyCount));
          case 'new_key':
            this.#newest += 1;
            return `key:${digits(this.#newest - 1)}`;
          case 'next_key':
            id = (id + 1) % keyCount;
            return `key:${digits(id)}`;
          default:
            id = this.#chooseKey();
            return name === 'key' ? `key:${digits(id)}` : digits(id);
        }
      }),
    );
  }

  #keyChooser(): () => number {
    const { keyCount, keys } = this.#plan;
    let place = 0;
    switch (keys) {
      case 'sequential':
        return () => {
          place += 1;
          return (place - 1) % keyCount;
        };
      case 'zipfian': {
        const draw = zipfDrawer(keyCount);
        return () => scatter(draw(), keyCount);
      }
      case 'latest': {
        const draw = zipfDrawer(keyCount);
        return () => this.#newest - 1 - draw();
      }
      default:
        return () => Math.floor(Math.random() * keyCount);
    }
  }
}
