/** `config`: prints the values that `start` would use, and where each comes from. */

import { describeOrigin } from '../config/origin';
import { type ConfigEntry, resolveConfig } from '../config/resolve';
import { splitWords } from '../config/words';
import { RedisLiteServer } from '../server';
import { type Painter, painterFor } from './style';

function asJson(entries: readonly ConfigEntry[]): string {
  const object = Object.fromEntries(
    entries.map(({ directive, lines, origin }) => {
      const values = lines.map((line) => (splitWords(line) ?? [line]).join(' '));
      const value = directive.repeats ? values : (values[0] ?? '');
      return [directive.name, { value, origin: describeOrigin(origin) }];
    }),
  );
  return `${JSON.stringify(object, null, 2)}\n`;
}

/** Lines of redis.conf: the output is a configuration file that says where it comes from. */
function asText(entries: readonly ConfigEntry[], paint: Painter): string {
  const rows = entries.flatMap(({ directive, lines, origin }) =>
    lines.map((line) => ({ text: `${directive.name} ${line === '' ? '""' : line}`, origin })),
  );
  return rows
    .map(({ text, origin }) => {
      const given = origin.kind !== 'default';
      return `${paint('dim', `# ${describeOrigin(origin)}`)}\n${given ? paint('bold', text) : text}\n`;
    })
    .join('');
}

/** Runs `config` with the words behind it, which are those of `start` and `--json`. */
export function config(argv: readonly string[]): void {
  const json = argv.includes('--json');
  const resolved = resolveConfig({ argv: argv.filter((word) => word !== '--json'), environment: process.env });
  // Some mistakes only the core sees; creating a server opens nothing.
  new RedisLiteServer({}, resolved);
  // What this server has no feature for is of interest only where it was asked for.
  const entries = resolved.entries().filter(({ directive, origin }) => !directive.fixed || origin.kind !== 'default');
  process.stdout.write(json ? asJson(entries) : asText(entries, painterFor(process.stdout)));
}
