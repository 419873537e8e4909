/** Colours, where the terminal shows them and NO_COLOR does not forbid them. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** A colour or weight. */
export type Style = keyof typeof CODES;

/** Wraps text in a style, or leaves it as it is. */
export type Painter = (style: Style, text: string) => string;

/** A painter for `stream`. */
export function painterFor(stream: { readonly isTTY?: boolean }): Painter {
  const wanted = stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
  return wanted ? (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m` : (_, text) => text;
}
