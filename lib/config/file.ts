/** Reads redis.conf: one directive a line, `#` comments, quotes, and `include` with `*`. */

import fs from 'node:fs';
import path from 'node:path';
import { ConfigFileError } from '../errors';
import type { Assignment } from './origin';
import { splitWords } from './words';

/** Deeper than anyone means to nest, and shallow enough to end a file that includes itself. */
const INCLUDE_DEPTH_MAX = 16;

function readText(file: string, shownAs: string, line: number): string {
  try {
    return fs.readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const detail = code === 'ENOENT' ? `the file ${file} does not exist` : message;
    throw new ConfigFileError(shownAs, line, `cannot read: ${detail}`);
  }
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** Files that `pattern` names: itself, or for a wildcard in its last part all matches, sorted. */
function expand(pattern: string, folder: string): string[] {
  const beside = path.resolve(folder, pattern);
  const name = path.basename(pattern);
  if (!/[*?[]/.test(name)) {
    // Beside the file that includes it, or else in the working directory as for redis-server.
    return [fs.existsSync(beside) ? beside : path.resolve(pattern)];
  }
  const parent = path.dirname(beside);
  const entries = fs.existsSync(parent) ? fs.readdirSync(parent) : [];
  const matches = wildcard(name);
  return entries
    .filter((entry) => matches.test(entry))
    .sort()
    .map((entry) => path.join(parent, entry));
}

function parseLine(text: string, file: string, line: number): string[] {
  const words = splitWords(text);
  if (words === null) {
    throw new ConfigFileError(file, line, `expected a closing quote in \`${text.trim()}\``);
  }
  return words;
}

function readFileAt(file: string, shownAs: string, fromLine: number, depth: number): Assignment[] {
  if (depth > INCLUDE_DEPTH_MAX) {
    throw new ConfigFileError(shownAs, fromLine, `expected at most ${INCLUDE_DEPTH_MAX} nested includes`);
  }
  const text = readText(file, shownAs, fromLine);
  const name = file === '-' ? 'standard input' : file;
  return text.split(/\r?\n/).flatMap((lineText, index): Assignment[] => {
    const line = index + 1;
    if (lineText.trim() === '' || lineText.trim().startsWith('#')) {
      return [];
    }
    const [directive = '', ...words] = parseLine(lineText, name, line);
    if (directive.toLowerCase() !== 'include') {
      return [{ name: directive, value: words, origin: { kind: 'file', path: name, line } }];
    }
    if (words.length === 0) {
      throw new ConfigFileError(name, line, 'expected a file name after `include`');
    }
    const folder = path.dirname(path.resolve(file));
    return words.flatMap((pattern) =>
      expand(pattern, folder).flatMap((next) => readFileAt(next, name, line, depth + 1)),
    );
  });
}

/** The directives of the files that `--include pattern` names on a command line. */
export function readIncluded(pattern: string): Assignment[] {
  return expand(pattern, process.cwd()).flatMap((file) => readFileAt(file, file, 0, 1));
}

/**
 * The directives of the file at `file` (`-` for standard input) and of all that it includes.
 *
 * @throws {@link ConfigFileError}
 */
export function readConfigFile(file: string): Assignment[] {
  return readFileAt(file, file, 0, 0);
}
