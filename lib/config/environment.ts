/** Reads `REDIS_LITE_*` variables: `REDIS_LITE_TCP_BACKLOG=128` is `tcp-backlog 128`. */

import { type DirectiveTable, nameOfWords } from './directives';
import type { Assignment } from './origin';
import { splitWords } from './words';

const PREFIX = 'REDIS_LITE_';

/** Variables of the package itself, such as where node-gyp-build looks for the addon. */
const RESERVED = 'REDIS_LITE_NATIVE_';

/** Names the configuration file, as the first argument of `start` does. */
const CONFIG_FILE = 'REDIS_LITE_CONFIG';

/** A set of environment variables, such as `process.env`. */
export type Environment = { readonly [variable: string]: string | undefined };

/** The configuration file that `environment` names, or null. */
export function configFileOf(environment: Environment): string | null {
  return environment[CONFIG_FILE] ?? null;
}

/** The directives that `environment` sets. */
export function readEnvironment(environment: Environment, table: DirectiveTable): Assignment[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(RESERVED) && name !== CONFIG_FILE)
    .sort()
    .map((variable) => {
      const name = nameOfWords(variable.slice(PREFIX.length).split('_'), table);
      const text = environment[variable] ?? '';
      // Words only for lists: a password may hold blanks and quotes.
      const value = table.find(name)?.kind === 'list' ? (splitWords(text) ?? text) : text;
      return { name, value, origin: { kind: 'environment', variable } };
    });
}
