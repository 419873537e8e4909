/** Puts the sources together: defaults < file < environment < arguments < options object. */

import path from 'node:path';
import { UnknownOptionError } from '../errors';
import { readCommandLine, type WordsAssignment } from './argv';
import { camelName, type Directive, type DirectiveTable, directiveTable } from './directives';
import { configFileOf, type Environment, readEnvironment } from './environment';
import { readConfigFile, readIncluded } from './file';
import { readOptions } from './options';
import { type Assignment, describeOrigin, type Origin } from './origin';
import { parseAssignment } from './schema';
import { joinWords, splitWords } from './words';

/** Where to read the configuration from. */
export interface ConfigSources {
  /** A path to a redis.conf; the command line and the environment may name one too. */
  readonly configFile?: string | undefined;
  readonly environment?: Environment | undefined;
  /** As redis-server takes it, without the program. */
  readonly argv?: readonly string[] | undefined;
  /** Directives in camelCase. */
  readonly options?: { readonly [key: string]: unknown } | undefined;
  /** Keys of `options` that are no directives. */
  readonly otherOptions?: ReadonlySet<string> | undefined;
}

/** The value of one directive and where it came from. */
export interface ConfigEntry {
  readonly directive: Directive;
  /** As redis.conf would write it; several lines for a directive that repeats. */
  readonly lines: readonly string[];
  readonly origin: Origin;
}

/** A checked configuration. */
export class ResolvedConfig {
  readonly #entries: ReadonlyMap<string, ConfigEntry>;
  /** The whole path of the configuration file that was read, or null; one that was piped in has none. */
  readonly file: string | null;

  /** @internal */
  constructor(entries: ReadonlyMap<string, ConfigEntry>, file: string | null) {
    this.#entries = entries;
    this.file = file === null || file === '-' ? null : path.resolve(file);
  }

  /** Every directive, by name. */
  entries(): ConfigEntry[] {
    return [...this.#entries.values()];
  }

  /** Directives that some source has set. */
  given(): ConfigEntry[] {
    return this.entries().filter(({ origin }) => origin.kind !== 'default');
  }

  /** The text of the directive `name`, unquoted, or '' when there is none. */
  text(name: string): string {
    const line = this.#entries.get(name)?.lines.join(' ') ?? '';
    return (splitWords(line) ?? [line]).join(' ');
  }

  /** True when the directive `name` says yes. */
  flag(name: string): boolean {
    return this.text(name) === 'yes';
  }
}

/** `--include` stands for the directives of the files that it names. */
function withIncludes(assignment: WordsAssignment): Assignment[] {
  return assignment.name.toLowerCase() === 'include' ? assignment.value.flatMap(readIncluded) : [assignment];
}

/** Assignments of all sources, the weakest source first, and the file that was one of them. */
function assignmentsOf(
  sources: ConfigSources,
  table: DirectiveTable,
): { readonly file: string | null; readonly assignments: Assignment[][] } {
  const commandLine = readCommandLine(sources.argv ?? []);
  const [stray] = commandLine.strays;
  if (stray !== undefined) {
    throw new UnknownOptionError(stray, null, 'arguments');
  }
  const environment = sources.environment ?? {};
  const file = commandLine.configFile ?? sources.configFile ?? configFileOf(environment);
  const assignments = [
    file === null ? [] : readConfigFile(file),
    readEnvironment(environment, table),
    commandLine.assignments.flatMap(withIncludes),
    readOptions(sources.options ?? {}, sources.otherOptions ?? new Set(), table),
  ];
  return { file, assignments };
}

/** Speaks of names as the source spells them. */
function unknownOption({ name, origin }: Assignment, suggestion: string | null): UnknownOptionError {
  if (origin.kind !== 'option') {
    return new UnknownOptionError(name, suggestion, describeOrigin(origin));
  }
  return new UnknownOptionError(origin.key, suggestion === null ? null : camelName(suggestion), describeOrigin(origin));
}

/** An options object has one spelling for each directive, the one that its type has. */
function find(table: DirectiveTable, { name, origin }: Assignment): Directive | undefined {
  const directive = table.find(name);
  const misspelt = directive !== undefined && origin.kind === 'option' && camelName(directive.name) !== origin.key;
  return misspelt ? undefined : directive;
}

function apply(entries: Map<string, ConfigEntry>, table: DirectiveTable, source: readonly Assignment[]): void {
  const seen = new Set<string>();
  for (const assignment of source) {
    const directive = find(table, assignment);
    if (directive === undefined) {
      throw unknownOption(assignment, table.suggest(assignment.name));
    }
    const lines = parseAssignment(directive, assignment);
    // Within one source a repeated line adds to the earlier ones; a stronger source replaces all.
    const earlier = directive.repeats && seen.has(directive.name) ? entries.get(directive.name)?.lines : undefined;
    entries.set(directive.name, { directive, lines: [...(earlier ?? []), ...lines], origin: assignment.origin });
    seen.add(directive.name);
  }
}

/**
 * Reads and checks all sources.
 *
 * @throws {@link InvalidOptionError}, {@link UnknownOptionError}, {@link ConfigFileError}
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const table = directiveTable();
  const entries = new Map<string, ConfigEntry>();
  for (const directive of table.all()) {
    const words = splitWords(directive.fallback);
    const line = directive.kind === 'list' || words === null ? directive.fallback : joinWords([words.join(' ')]);
    entries.set(directive.name, { directive, lines: [line], origin: { kind: 'default' } });
  }
  const { file, assignments } = assignmentsOf(sources, table);
  for (const source of assignments) {
    apply(entries, table, source);
  }
  return new ResolvedConfig(entries, file);
}
