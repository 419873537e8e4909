/** The configuration table: the core's directives and the few that TypeScript acts on. */

import { type DirectiveRow, nativeDirectives } from '../binding';
import { nearest } from './suggest';

/** A directive, and who acts on it. */
export interface Directive extends DirectiveRow {
  /** The core knows it. */
  readonly native: boolean;
}

type LibraryRow = Pick<DirectiveRow, 'name' | 'kind' | 'fallback' | 'summary'> & Partial<DirectiveRow>;

const LIBRARY_ROWS: readonly LibraryRow[] = [
  { name: 'daemonize', kind: 'bool', fallback: 'no', summary: 'Runs the server in the background.' },
  { name: 'pidfile', kind: 'string', fallback: '""', summary: 'The file that holds the process id while it runs.' },
  { name: 'logfile', kind: 'string', fallback: '""', summary: 'The file to log to; empty for standard output.' },
  {
    name: 'log-format',
    kind: 'enum',
    fallback: 'auto',
    choices: ['auto', 'redis', 'json', 'logfmt'],
    summary: 'The form of log lines; auto is redis on a terminal and in a log file, and json otherwise.',
  },
];

function libraryDirective(row: LibraryRow): Directive {
  const rest = { alias: null, min: 0, max: 0, choices: [], atStartOnly: true, repeats: false, fixed: false };
  return { ...rest, ...row, native: false };
}

/** Directives by name. */
export class DirectiveTable {
  readonly #byName = new Map<string, Directive>();
  readonly #names: string[];

  constructor(directives: readonly Directive[]) {
    for (const directive of directives) {
      this.#byName.set(directive.name, directive);
    }
    this.#names = [...this.#byName.keys()].sort();
    for (const directive of directives) {
      if (directive.alias !== null) {
        this.#byName.set(directive.alias, directive);
      }
    }
  }

  /** The directive called `name`, in any case, or undefined. */
  find(name: string): Directive | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** The name nearest to the misspelt `name`, or null. */
  suggest(name: string): string | null {
    return nearest(name.toLowerCase(), [...this.#byName.keys()]);
  }

  /** All directives, by name, without aliases. */
  all(): Directive[] {
    return this.#names.flatMap((name) => this.#byName.get(name) ?? []);
  }
}

let table: DirectiveTable | undefined;

/** The table of this package. */
export function directiveTable(): DirectiveTable {
  if (table === undefined) {
    const native = nativeDirectives().map((row) => ({ ...row, native: true }));
    const known = new Set(native.map(({ name }) => name));
    table = new DirectiveTable([
      ...native,
      ...LIBRARY_ROWS.filter(({ name }) => !known.has(name)).map(libraryDirective),
    ]);
  }
  return table;
}

/** Names that redis.conf writes as one word although `log-format` stands beside them. */
const SPLIT_NAMES: ReadonlyMap<string, string> = new Map([
  ['loglevel', 'logLevel'],
  ['logfile', 'logFile'],
]);

/** `tcp-backlog` as an options object spells it: `tcpBacklog`. */
export function camelName(name: string): string {
  return SPLIT_NAMES.get(name) ?? name.replace(/[-_]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The name of the directive that an options object calls `key`, or what it would be. */
export function nameOfOption(key: string, table: DirectiveTable): string {
  const directive = table.all().find(({ name }) => camelName(name) === key);
  return directive?.name ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The name of the directive that `words` spell; a few, such as `bio_cpulist`, have `_` between them. */
export function nameOfWords(words: readonly string[], table: DirectiveTable): string {
  const kebab = words.join('-').toLowerCase();
  const snake = words.join('_').toLowerCase();
  return table.find(kebab) === undefined && table.find(snake) !== undefined ? snake : kebab;
}
