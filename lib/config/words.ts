/** Words of redis.conf's syntax: separated by blanks, quoted with `"` (escapes) or `'`. */

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

interface Cursor {
  readonly text: string;
  at: number;
}

function readEscape(cursor: Cursor): string {
  const hex = /^x([0-9a-fA-F]{2})/.exec(cursor.text.slice(cursor.at, cursor.at + 3));
  if (hex !== null) {
    cursor.at += 3;
    return String.fromCharCode(Number.parseInt(hex[1] ?? '', 16));
  }
  const letter = cursor.text[cursor.at] ?? '';
  cursor.at += 1;
  return ESCAPES.get(letter) ?? letter;
}

/** The text up to the closing `quote`, or null when there is none. */
function readQuoted(cursor: Cursor, quote: string): string | null {
  let word = '';
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at] ?? '';
    cursor.at += 1;
    if (char === quote) {
      // A closing quote ends the word: `"a"b` is a mistake.
      return /\s/.test(cursor.text[cursor.at] ?? ' ') ? word : null;
    }
    if (char === '\\' && quote === '"') {
      word += readEscape(cursor);
    } else if (char === '\\' && cursor.text[cursor.at] === "'") {
      word += "'";
      cursor.at += 1;
    } else {
      word += char;
    }
  }
  return null;
}

function readWord(cursor: Cursor): string | null {
  let word = '';
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at] ?? '';
    if (/\s/.test(char)) {
      return word;
    }
    cursor.at += 1;
    if (char === '"' || char === "'") {
      const quoted = readQuoted(cursor, char);
      return quoted === null ? null : word + quoted;
    }
    word += char;
  }
  return word;
}

/** The words of `text`, or null when a quote is not closed. */
export function splitWords(text: string): string[] | null {
  const cursor: Cursor = { text, at: 0 };
  const words: string[] = [];
  for (;;) {
    while (/\s/.test(text[cursor.at] ?? '')) {
      cursor.at += 1;
    }
    if (cursor.at >= text.length) {
      return words;
    }
    const word = readWord(cursor);
    if (word === null) {
      return null;
    }
    words.push(word);
  }
}

const QUOTED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

/** `word` as redis.conf takes it: quoted only where needed. */
export function quoteWord(word: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be quoted.
  if (word !== '' && !/[\s"'\\\u0000-\u001f]/.test(word)) {
    return word;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const escaped = word.replace(/["\\\u0000-\u001f]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, '0');
    return QUOTED_ESCAPES.get(char) ?? `\\x${code}`;
  });
  return `"${escaped}"`;
}

/** `words` as one line of redis.conf. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}
