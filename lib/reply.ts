/** Replies of commands that run in the same process. */

import type { ReplyMakers } from './binding';
import { ReplyError } from './errors';

/** A reply.  Integers beyond 2^53 are bigints; maps and sets keep the server's order. */
export type Reply =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | ReplyError
  | readonly Reply[]
  | ReadonlyMap<Reply, Reply>
  | ReadonlySet<Reply>;

function mapOf(flat: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    map.set(flat[i], flat[i + 1]);
  }
  return map;
}

/** How replies become values of this realm. */
export const REPLY_MAKERS: ReplyMakers = {
  error: (text) => new ReplyError(text),
  map: mapOf,
  set: (members) => new Set(members),
  bigNumber: (digits) => BigInt(digits),
};
