/** Colours a command while it is typed. */

import readline from 'node:readline';
import type { Painter } from './style';

const TOKEN = /\s+|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[^\s"']+/g;

/** `line` with its command, numbers and quoted texts in colours of their own. */
export function highlight(line: string, paint: Painter): string {
  let first = true;
  return line.replace(TOKEN, (token) => {
    if (token.trim() === '') {
      return token;
    }
    if (first) {
      first = false;
      return paint('bold', token);
    }
    if (/^["']/.test(token)) {
      return paint('yellow', token);
    }
    return /^-?\d+(\.\d+)?$/.test(token) ? paint('cyan', token) : token;
  });
}

/** Repaints the line of `reader` after each key; a line longer than the terminal stays plain. */
export function highlightWhileTyping(reader: readline.Interface, prompt: string, paint: Painter): () => void {
  const repaint = (): void => {
    const { line, cursor } = reader;
    const columns = process.stdout.columns || 80;
    if (line === '' || prompt.length + line.length >= columns) {
      return;
    }
    readline.cursorTo(process.stdout, 0);
    process.stdout.write(`${prompt}${highlight(line, paint)}`);
    readline.cursorTo(process.stdout, prompt.length + cursor);
  };
  const onKey = (_: string, key: { readonly name?: string } | undefined): void => {
    if (key?.name !== 'return' && key?.name !== 'enter') {
      repaint();
    }
  };
  process.stdin.on('keypress', onKey);
  return () => process.stdin.off('keypress', onKey);
}
