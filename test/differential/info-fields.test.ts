/** INFO has every field that redis-server's has, in the same section; there may be more. */
import { decodeReply, textOf } from '../support/resp';
import type { ReplyClient } from './client';
import { describePair } from './peers';

/** Fields by the name of their section; of those that are named after commands or databases, none. */
async function fieldsOf(client: ReplyClient): Promise<Map<string, string[]>> {
  const sections = new Map<string, string[]>();
  let fields: string[] = [];
  for (const line of textOf(decodeReply(await client.run(['INFO', 'everything']))).split('\r\n')) {
    if (line.startsWith('# ')) {
      fields = [];
      sections.set(line.slice(2), fields);
    } else if (/^[a-z]/.test(line) && !/^(cmdstat|errorstat|latency_percentiles|db\d)/.test(line)) {
      fields.push(line.slice(0, line.indexOf(':')));
    }
  }
  return sections;
}

describePair('INFO', (pair) => {
  test('has all sections and fields of redis-server', async () => {
    const [ours, redis] = await Promise.all([pair().ours.connect(), pair().redis.connect()]);
    const [mine, theirs] = await Promise.all([fieldsOf(ours), fieldsOf(redis)]);
    expect(theirs.size).toBeGreaterThan(10);
    const missing = [...theirs].flatMap(([section, fields]) =>
      fields.filter((field) => !(mine.get(section) ?? []).includes(field)).map((field) => `${section}: ${field}`),
    );
    expect(missing).toEqual([]);
    expect([...theirs.keys()].filter((section) => !mine.has(section))).toEqual([]);
    ours.close();
    redis.close();
  });
});
