/** COMMAND DOCS of every command is redis-server's: arguments as a tree, tokens, flags, versions; texts are our own. */
import { decodeReply, elementsOf, type RespValue, textOf } from '../support/resp';
import { TwinClient } from './compare';
import { NEWER_COMMANDS } from './newer-commands';
import { describePair } from './peers';

/** A part of the documentation: a map, a list of arguments, or a word. */
type Docs = string | readonly Docs[] | { readonly [key: string]: Docs };

/** Where the two may differ, and why.  Each has to be met. */
const KNOWN: readonly { readonly reason: string; readonly paths: RegExp }[] = [
  {
    reason: '7.2 gave many arguments other names; ours are those of 7.2',
    paths: /^(bit|client\|kill|geo|x(add|claim|group|info|readgroup|setid)|z(add|(rev)?range)).*\/name$/,
  },
  {
    reason: 'arguments that came after 7.0',
    paths: /^(client\|kill\/filter\/new-format|hscan|set\/condition|zrank|zrevrank)\/count$/,
  },
  { reason: 'the operations of BITOP are told one by one since 7.2', paths: /^bitop\/operation\/(type|arguments)$/ },
  {
    reason: 'in 7.2 these may have no member, no source',
    paths: /^(geohash|geopos|pfmerge)\/(member|sourcekey)\/flags$/,
  },
  { reason: 'in 7.2 STORE and STOREDIST are one choice', paths: /^georadius(bymember)?\/count$/ },
  { reason: 'ANY is told alike for all commands on places', paths: /^georadius_ro\/count-block\/any\/since$/ },
  {
    reason: 'arguments carry no mark of being deprecated',
    paths: /^client\|kill\/filter\/old-format\/deprecated_since$/,
  },
  { reason: 'arguments that 7.2 has begun to tell', paths: /^(command\|getkeys(andflags)?|debug)\/arguments$/ },
];

/** What is a text of its own, only there or not; a history is one too. */
const TEXTS = new Set(['summary', 'complexity', 'replaced_by', 'history']);

describePair('COMMAND DOCS', (pair) => {
  let twins: TwinClient;

  beforeAll(async () => {
    twins = await TwinClient.connect(pair(), 2);
  });

  afterAll(() => twins?.close());

  test('is the same for each of our commands but for known differences', async () => {
    const [ours, redis] = await Promise.all([twins.ours, twins.redis].map(allDocs));
    const differences: string[] = [];
    let compared = 0;
    for (const [name, docs] of ours ?? []) {
      if (NEWER_COMMANDS[name] !== undefined) continue;
      compareDocs(name, docs, redis?.get(name) ?? {}, differences);
      compared++;
    }
    const isKnown = (path: string): boolean => KNOWN.some(({ paths }) => paths.test(path));
    expect(compared).toBeGreaterThan(250);
    expect(differences.filter((path) => !isKnown(path))).toEqual([]);
    expect(KNOWN.filter(({ paths }) => !differences.some((path) => paths.test(path)))).toEqual([]);
  });
});

/** Every command and subcommand by its whole name. */
async function allDocs(client: TwinClient['ours']): Promise<Map<string, Docs>> {
  const found = new Map<string, Docs>();
  const add = (list: RespValue | undefined): void => {
    const elements = elementsOf(list);
    for (let i = 0; i + 1 < elements.length; i += 2) {
      const entry = elements[i + 1];
      const docs = entry === undefined ? [] : elementsOf(entry);
      found.set(textOf(elements[i]), readMap(docs));
      const at = docs.findIndex((field, index) => index % 2 === 0 && textOf(field) === 'subcommands');
      const subcommands = docs[at + 1];
      if (at >= 0 && subcommands !== undefined) add(subcommands);
    }
  };
  add(decodeReply(await client.run(['COMMAND', 'DOCS'])));
  return found;
}

function readMap(elements: readonly RespValue[]): Docs {
  const map: Record<string, Docs> = {};
  for (let i = 0; i + 1 < elements.length; i += 2) {
    const key = textOf(elements[i]);
    const value = elements[i + 1];
    if (key === 'subcommands' || value === undefined) continue;
    if (TEXTS.has(key)) map[key] = 'a text';
    else if (key === 'arguments') map[key] = elementsOf(value).map((one) => readMap(elementsOf(one)));
    else map[key] = key.endsWith('flags') ? elementsOf(value).map(textOf).sort().join(' ') : JSON.stringify(value);
  }
  return map;
}

/** The name of an argument, for paths. */
function nameOf(argument: Docs): string {
  const name = typeof argument === 'object' && 'name' in argument ? argument.name : undefined;
  return typeof name === 'string' ? ((JSON.parse(name) as { value?: string }).value ?? name) : '?';
}

/** Adds the path of each place where the two differ. */
function compareDocs(path: string, ours: Docs, redis: Docs, differences: string[]): void {
  if (Array.isArray(ours) && Array.isArray(redis)) {
    if (ours.length !== redis.length) {
      differences.push(`${path}/count`);
      return;
    }
    for (const [i, argument] of ours.entries()) {
      compareDocs(`${path}/${nameOf(argument)}`, argument, redis[i] ?? {}, differences);
    }
  } else if (typeof ours === 'object' && typeof redis === 'object' && !Array.isArray(ours) && !Array.isArray(redis)) {
    const [a, b] = [ours, redis] as readonly { readonly [key: string]: Docs }[];
    for (const key of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])) {
      if (key === 'history') continue;
      const [left, right] = [a?.[key], b?.[key]];
      if (left === undefined || right === undefined) differences.push(`${path}/${key}`);
      else compareDocs(key === 'arguments' ? path : `${path}/${key}`, left, right, differences);
    }
  } else if (ours !== redis) {
    differences.push(path);
  }
}
