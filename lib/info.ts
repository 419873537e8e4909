/** INFO's text as an object. */

/** A value of INFO: a number where it reads as one, an object for `a=1,b=2`. */
export type InfoValue = string | number | { readonly [field: string]: string | number };

/** INFO by section (`server`, `clients`, ...) and field. */
export type ServerInfo = { readonly [section: string]: { readonly [field: string]: InfoValue } };

function scalar(text: string): string | number {
  return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text;
}

function infoValue(text: string): InfoValue {
  const pairs = text.split(',').map((pair) => pair.split('='));
  if (text.includes('=') && pairs.every((pair) => pair.length === 2)) {
    return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, scalar(value)]));
  }
  return scalar(text);
}

/** Parses the reply of INFO. */
export function parseInfo(text: string): ServerInfo {
  const sections: Record<string, Record<string, InfoValue>> = {};
  let fields: Record<string, InfoValue> = {};
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (line.startsWith('#')) {
      fields = {};
      sections[line.slice(1).trim().toLowerCase()] = fields;
    } else if (colon > 0) {
      fields[line.slice(0, colon)] = infoValue(line.slice(colon + 1));
    }
  }
  return sections;
}
