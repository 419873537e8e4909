/** What a server says of itself when it has started. */

import { nativeVersion } from '../binding';
import type { ListenAddress } from '../events';
import type { RedisLiteServer } from '../server';
import type { Painter } from './style';

/** The facts of the banner. */
export interface BannerFacts {
  readonly version: string;
  readonly addresses: readonly string[];
  readonly ioModel: string;
  readonly workers: string;
  readonly pid: number;
}

/** An address as one writes it: `127.0.0.1:6379`, `[::1]:6379`, `/tmp/redis.sock`. */
export function addressText(address: ListenAddress): string {
  if (address.kind === 'unix') {
    return address.path;
  }
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** The facts of a running server. */
export function bannerFacts(server: RedisLiteServer): BannerFacts {
  const workers = server.configuration.text('workers');
  const info = server.info('server').server;
  return {
    version: nativeVersion(),
    addresses: server.addresses.map(addressText),
    ioModel: server.configuration.text('io-model'),
    // 0 asks for one per core; INFO says how many that came to.
    workers: workers === '0' ? String(info?.workers ?? info?.io_workers ?? 'one per core') : workers,
    pid: process.pid,
  };
}

/** The facts in one line. */
export function bannerLine(facts: BannerFacts): string {
  const { version, addresses, ioModel, workers } = facts;
  return `redis-lite-native ${version} listens on ${addresses.join(', ')}, io model ${ioModel}, workers ${workers}`;
}

/** The facts as a few lines for a terminal. */
export function bannerText(facts: BannerFacts, paint: Painter): string {
  const rows: readonly (readonly [string, string])[] = [
    ['address', facts.addresses.join(', ')],
    ['io model', facts.ioModel],
    ['workers', facts.workers],
    ['pid', String(facts.pid)],
  ];
  const lines = rows.map(([label, value]) => `  ${paint('dim', label.padEnd(9))} ${value}\n`);
  return `\n  ${paint('bold', `redis-lite-native ${facts.version}`)}\n\n${lines.join('')}\n`;
}
