/** Tells this package's servers from others by what INFO says. */

import type { ServerInfo } from '../info';

/** True when `info`, which has at least the section `server`, is of a server of this package. */
export function isOurs(info: ServerInfo): boolean {
  return info.server?.redis_lite_native_version !== undefined;
}
