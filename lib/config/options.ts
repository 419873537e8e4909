/** Reads directives from an options object: `{ tcpBacklog: 128 }` is `tcp-backlog 128`. */

import { type DirectiveTable, nameOfOption } from './directives';
import type { Assignment } from './origin';

/** The directives among `options`; keys in `others` belong to somebody else. */
export function readOptions(
  options: { readonly [key: string]: unknown },
  others: ReadonlySet<string>,
  table: DirectiveTable,
): Assignment[] {
  return Object.entries(options)
    .filter(([key, value]) => value !== undefined && !others.has(key))
    .map(([key, value]) => {
      const name = nameOfOption(key, table);
      const lines = Array.isArray(value) && table.find(name)?.repeats === true;
      return { name, value: lines ? { lines: value } : value, origin: { kind: 'option', key } };
    });
}
