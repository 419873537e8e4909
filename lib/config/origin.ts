/** Where a value was given. */

/** The place that a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'argument'; readonly flag: string }
  | { readonly kind: 'option'; readonly key: string };

/** `origin` in a few words: `redis.conf:7`, `REDIS_LITE_PORT`, `--port`, `options.port`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.path}:${origin.line}`;
    case 'environment':
      return origin.variable;
    case 'argument':
      return origin.flag;
    case 'option':
      return `options.${origin.key}`;
  }
}

/** One value as it was given, not yet checked. */
export interface Assignment {
  /** The directive's name, as it was written. */
  readonly name: string;
  /** Words of a text source, or whatever an options object holds. */
  readonly value: unknown;
  readonly origin: Origin;
}
