/** RESP2 and RESP3 as bytes: commands written, replies taken apart. */

/** A reply taken apart; `kind` is its first byte. Maps are lists of keys and values in turn. */
export interface RespValue {
  readonly kind: string;
  /** The text of a line or a bulk (latin1), the elements of an aggregate, null for a null. */
  readonly value: string | readonly RespValue[] | null;
}

/** One command as clients send it. */
export function encodeCommand(argv: readonly (string | Buffer)[]): Buffer {
  const parts = [Buffer.from(`*${argv.length}\r\n`)];
  for (const word of argv) {
    const bytes = Buffer.from(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

const BULKS = '$=!';
const AGGREGATES = '*~>%|';

/** Takes the reply that begins at `at` apart, or gives `undefined` while it is not whole. */
export function parseReply(bytes: Buffer, at = 0): { readonly value: RespValue; readonly end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
  if (lineEnd < 0) return undefined;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  const line = bytes.toString('latin1', at + 1, lineEnd);
  if (BULKS.includes(kind)) return parseBulk(bytes, kind, Number(line), lineEnd + 2);
  if (AGGREGATES.includes(kind)) return parseAggregate(bytes, kind, Number(line), lineEnd + 2);
  return { value: { kind, value: kind === '_' ? null : line }, end: lineEnd + 2 };
}

function parseBulk(bytes: Buffer, kind: string, length: number, from: number): ReturnType<typeof parseReply> {
  if (length < 0) return { value: { kind, value: null }, end: from };
  const end = from + length + 2;
  return end > bytes.length ? undefined : { value: { kind, value: bytes.toString('latin1', from, end - 2) }, end };
}

function parseAggregate(bytes: Buffer, kind: string, count: number, from: number): ReturnType<typeof parseReply> {
  if (count < 0) return { value: { kind, value: null }, end: from };
  const elements: RespValue[] = [];
  let end = from;
  for (let left = kind === '%' || kind === '|' ? 2 * count : count; left > 0; left--) {
    const element = parseReply(bytes, end);
    if (element === undefined) return undefined;
    elements.push(element.value);
    end = element.end;
  }
  return { value: { kind, value: elements }, end };
}

/** One whole reply taken apart, or `undefined` when the bytes are something else. */
export function decodeReply(bytes: Buffer): RespValue | undefined {
  const parsed = parseReply(bytes);
  return parsed?.end === bytes.length ? parsed.value : undefined;
}

/** The elements of an aggregate; none for anything else. */
export function elementsOf(reply: RespValue | undefined): readonly RespValue[] {
  return Array.isArray(reply?.value) ? reply.value : [];
}

/** The text of a line or a bulk; empty for anything else. */
export function textOf(reply: RespValue | undefined): string {
  return typeof reply?.value === 'string' ? reply.value : '';
}

/** Bytes as a person can read them. */
export function quote(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1'));
}
