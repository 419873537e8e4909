/** CONFIG GET and CONFIG SET of a server, with types. */

import { directiveTable } from './config/directives';
import { describeExpected } from './config/schema';
import { InvalidOptionError, ReplyError, UnknownOptionError } from './errors';
import type { Store } from './store';

/** Reads and changes the configuration of a server while it runs. */
export class RuntimeConfig {
  readonly #store: Pick<Store, 'call'>;

  /** @internal */
  constructor(store: Pick<Store, 'call'>) {
    this.#store = store;
  }

  /** The directives whose names match the glob `pattern`, as redis.conf would write them. */
  get(pattern = '*'): ReadonlyMap<string, string> {
    return this.#store.call('CONFIG', 'GET', pattern) as ReadonlyMap<string, string>;
  }

  /**
   * Changes one directive.
   *
   * @throws {@link UnknownOptionError} or {@link InvalidOptionError}; the latter also for a
   * directive that can only be set before the start.
   */
  set(name: string, value: string | number | boolean): void {
    const directive = directiveTable().find(name);
    if (directive?.native !== true) {
      throw new UnknownOptionError(name, directiveTable().suggest(name), 'config.set');
    }
    const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
    try {
      this.#store.call('CONFIG', 'SET', directive.name, text);
    } catch (error) {
      if (!(error instanceof ReplyError)) {
        throw error;
      }
      const expected = directive.atStartOnly ? 'set before the start' : describeExpected(directive);
      throw new InvalidOptionError(directive.name, expected, JSON.stringify(text), 'config.set');
    }
  }
}
