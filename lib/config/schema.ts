/** One schema for every source: what a directive's value may be, and its text in redis.conf. */

import * as v from 'valibot';
import { InvalidOptionError } from '../errors';
import type { Directive } from './directives';
import { type Assignment, describeOrigin } from './origin';
import { joinWords, splitWords } from './words';

/** Reads a given value into lines of redis.conf: one, or several for a directive that repeats. */
type DirectiveSchema = v.GenericSchema<unknown, readonly string[]>;

const MEMORY_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1000],
  ['kb', 1024],
  ['m', 1000 ** 2],
  ['mb', 1024 ** 2],
  ['g', 1000 ** 3],
  ['gb', 1024 ** 3],
]);

const MEMORY = /^(-?\d+)(b|k|kb|m|mb|g|gb)?$/i;

function memoryBytes(text: string): number {
  const [, digits = '', unit = ''] = MEMORY.exec(text) ?? [];
  return Number(digits) * (MEMORY_UNITS.get(unit.toLowerCase()) ?? Number.NaN);
}

/** The one word of a text source, or the value itself. */
const SINGLE = v.union([
  v.pipe(
    v.strictTuple([v.string()]),
    v.transform(([word]) => word),
  ),
  v.string(),
  v.number(),
  v.boolean(),
]);

const WORD = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);

function integerSchema(row: Directive): DirectiveSchema {
  return v.pipe(
    SINGLE,
    v.union([v.number(), v.pipe(v.string(), v.regex(/^[+-]?\d+$/), v.transform(Number))]),
    v.integer(),
    v.minValue(row.min),
    v.maxValue(row.max),
    v.transform((value) => [String(value)]),
  );
}

/** Directives with a negative minimum take percentages of `maxmemory`, too: up to so many. */
function mostPercent(row: Directive): number {
  return Math.max(0, -row.min);
}

function memorySchema(row: Directive): DirectiveSchema {
  const bytes = v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(MEMORY), v.transform(memoryBytes))]),
    v.integer(),
    v.minValue(Math.max(0, row.min)),
    v.maxValue(row.max),
    v.transform((value) => [String(value)]),
  );
  const percent = v.pipe(
    v.string(),
    v.regex(/^\d{1,3}%$/),
    v.check((text) => Number.parseInt(text, 10) <= mostPercent(row)),
    v.transform((text) => [text]),
  );
  return v.pipe(SINGLE, mostPercent(row) > 0 ? v.union([percent, bytes]) : bytes);
}

function boolSchema(): DirectiveSchema {
  return v.pipe(
    v.union([
      // `--appendonly` with nothing behind it says yes.
      v.pipe(
        v.strictTuple([]),
        v.transform(() => true),
      ),
      SINGLE,
    ]),
    v.union([
      v.pipe(
        v.boolean(),
        v.transform((value) => (value ? 'yes' : 'no')),
      ),
      v.pipe(v.string(), v.toLowerCase(), v.picklist(['yes', 'no'])),
    ]),
    v.transform((value) => [value]),
  );
}

function enumSchema(row: Directive): DirectiveSchema {
  return v.pipe(
    SINGLE,
    v.string(),
    v.toLowerCase(),
    v.picklist(row.choices),
    v.transform((value) => [value]),
  );
}

function stringSchema(): DirectiveSchema {
  return v.pipe(
    SINGLE,
    v.union([v.string(), v.number()]),
    v.transform((value) => [joinWords([String(value)])]),
  );
}

/** `save ""` has one word, which is empty; `--save "3600 1"` has two. */
function wordsOf(text: string): string[] | null {
  return text.trim() === '' ? [''] : splitWords(text);
}

/** A list is given as words, or as one text that holds them. */
function listSchema(row: Directive): DirectiveSchema {
  const text = v.pipe(v.string(), v.transform(wordsOf), v.array(v.string()));
  const oneText = v.pipe(
    v.strictTuple([v.string()]),
    v.transform(([word]) => wordsOf(word)),
    v.array(v.string()),
  );
  const words = v.pipe(
    v.union([text, oneText, v.pipe(v.array(WORD), v.minLength(1))]),
    v.transform((list) => joinWords(list)),
  );
  const lines = v.pipe(
    words,
    v.transform((line) => [line]),
  );
  if (!row.repeats) {
    return lines;
  }
  // An options object gives a directive that repeats as an array of lines.
  return v.union([
    v.pipe(
      v.object({ lines: v.array(words) }),
      v.transform((value) => value.lines),
    ),
    lines,
  ]);
}

/** The schema of `row`. */
export function directiveSchema(row: Directive): DirectiveSchema {
  switch (row.kind) {
    case 'integer':
      return integerSchema(row);
    case 'memory':
      return memorySchema(row);
    case 'bool':
      return boolSchema();
    case 'enum':
      return enumSchema(row);
    case 'string':
      return stringSchema();
    case 'list':
      return listSchema(row);
  }
}

const UNLIMITED = 2 ** 53;

function range(row: Directive, unit: string): string {
  if (row.max >= UNLIMITED) {
    return row.min > -UNLIMITED ? `${unit}, ${row.min} or more` : unit;
  }
  return `${unit} from ${row.min} to ${row.max}`;
}

/** What a value of `row` must be, as a phrase. */
export function describeExpected(row: Directive): string {
  switch (row.kind) {
    case 'integer':
      return range(row, 'an integer');
    case 'memory': {
      const bytes = range({ ...row, min: Math.max(0, row.min) }, 'a number of bytes such as 1048576, 100mb or 1gb');
      return mostPercent(row) > 0 ? `${bytes}, or a percentage up to ${mostPercent(row)}%` : bytes;
    }
    case 'bool':
      return 'yes or no';
    case 'enum':
      return `one of ${row.choices.join(', ')}`;
    case 'string':
      return 'one text';
    case 'list':
      return row.name === 'bind' ? 'one or more addresses' : 'one or more words';
  }
}

function describeReceived(value: unknown): string {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) {
    return value.length === 0 ? 'nothing' : JSON.stringify(joinWords(value));
  }
  return typeof value === 'bigint' || value === undefined ? String(value) : JSON.stringify(value);
}

/**
 * Checks one assignment to `row` and gives its lines in redis.conf.
 *
 * @throws {@link InvalidOptionError}
 */
export function parseAssignment(row: Directive, assignment: Assignment): readonly string[] {
  const result = v.safeParse(directiveSchema(row), assignment.value);
  if (!result.success) {
    throw new InvalidOptionError(
      row.name,
      describeExpected(row),
      describeReceived(assignment.value),
      describeOrigin(assignment.origin),
    );
  }
  return result.output;
}
