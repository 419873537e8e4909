/**
 * Reads a corpus file.  A blank line or a line `# title` begins a case, which runs on an empty
 * server with new connections.  Every other line is one step:
 *
 * - `SET key "a value\r\n"`: a command, quoted as redis-cli reads it;
 * - `@other SET key value`: a command of a second client;
 * - `@raw "PING\r\n"`: bytes as they are, which have one reply or end the connection;
 * - `@lua string.rep('x', 3)`: the rest of the line as it is, for EVAL: expressions, or statements
 *   with a `return`.  The reply tells all their values, or their error, as text;
 * - `@wait 20`: milliseconds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a case. */
export type Step =
  | { readonly kind: 'command'; readonly other: boolean; readonly argv: readonly Buffer[]; readonly line: string }
  | { readonly kind: 'raw'; readonly bytes: Buffer; readonly line: string }
  | { readonly kind: 'wait'; readonly ms: number };

/** Steps that follow each other. */
export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The cases of `corpus/<group>.txt`. */
export function corpus(group: string): readonly Case[] {
  const lines = readFileSync(join(__dirname, 'corpus', `${group}.txt`), 'utf8').split('\n');
  const cases: { name: string; steps: Step[] }[] = [];
  let title = '';
  let open = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') {
      open = false;
    } else if (line.startsWith('#')) {
      title = line.slice(1).trim();
      open = false;
    } else {
      if (!open) cases.push({ name: `${title} (line ${index + 1})`, steps: [] });
      open = true;
      cases.at(-1)?.steps.push(readStep(line));
    }
  }
  return cases;
}

/**
 * The reply to `@lua`: "true" and the values that the line gives, or "false" and the error, written
 * so that they cannot be taken for others: strings quoted, numbers with all their digits, tables
 * with their pairs in the order of their text.  It is one line, so that errors tell line 1.
 */
const DESCRIBE = [
  'local describe',
  'local function quote(s)',
  `return '"' .. s:gsub('[^%w%p ]', function(c) return string.format('\\\\%03d', c:byte()) end) .. '"' end`,
  'describe = function(v, depth) local kind = type(v)',
  "if kind == 'string' then return quote(v) elseif kind == 'number' then return string.format('%.17g', v)",
  "elseif kind ~= 'table' then return v == cjson.null and 'null' or kind == 'boolean' and tostring(v) or kind end",
  "if depth > 3 then return '{...}' end local pairs_of = {}",
  "for k, x in next, v do pairs_of[#pairs_of + 1] = '[' .. describe(k, depth + 1) .. ']=' .. describe(x, depth + 1) end",
  "table.sort(pairs_of) return '{' .. table.concat(pairs_of, ',') .. '}' end",
  'local function all(count, ...) local texts = {}',
  'for i = 1, count do texts[i] = describe((select(i, ...)), 0) end',
  "return table.concat(texts, ' ') end",
  "return (function(...) return all(select('#', ...), ...) end)(pcall(function() ",
].join(' ');

function describing(lua: string): string {
  return `${DESCRIBE}${/\breturn\b/.test(lua) ? lua : `return ${lua}`} end))`;
}

function readStep(line: string): Step {
  if (line.startsWith('@lua ')) {
    const script = Buffer.from(describing(line.slice('@lua '.length)), 'latin1');
    return { kind: 'command', other: false, argv: [Buffer.from('EVAL'), script, Buffer.from('0')], line };
  }
  const words = splitWords(line);
  const [first] = words;
  switch (first?.toString()) {
    case '@wait':
      return { kind: 'wait', ms: Number(words[1]) };
    case '@raw':
      return { kind: 'raw', bytes: Buffer.concat(words.slice(1)), line };
    case '@other':
      return { kind: 'command', other: true, argv: words.slice(1), line };
    default:
      return { kind: 'command', other: false, argv: words, line };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const WORD = /"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>(?:[^'\\]|\\.)*)'|(?<plain>[^\s"']+)/gsy;
const ESCAPE = /\\(?:x(?<hex>[0-9a-fA-F]{2})|(?<char>.))/gs;

/** Words of a line, quoted as redis-cli reads it. */
export function splitWords(line: string): Buffer[] {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (line[at] === ' ') at++;
    if (at >= line.length) return words;
    WORD.lastIndex = at;
    const match = WORD.exec(line);
    if (match === null) throw new Error(`unbalanced quotes: ${line}`);
    at = WORD.lastIndex;
    words.push(Buffer.from(unquote(match.groups ?? {}), 'latin1'));
  }
}

function unquote(groups: Record<string, string | undefined>): string {
  if (groups.plain !== undefined) return groups.plain;
  if (groups.single !== undefined) return groups.single.replaceAll("\\'", "'");
  return (groups.double ?? '').replace(ESCAPE, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
