/** Stops servers that still run when the process exits: process.exit() skips the addon's own hook. */

import type { NativeServer } from './binding';

const running = new Set<Pick<NativeServer, 'stopSync'>>();

function stopAll(): void {
  for (const server of running) {
    server.stopSync();
  }
  running.clear();
}

/** From now until {@link forgetAtExit}, the end of the process stops `server` first. */
export function stopAtExit(server: Pick<NativeServer, 'stopSync'>): void {
  if (running.size === 0) {
    process.once('exit', stopAll);
  }
  running.add(server);
}

/** `server` has stopped by itself. */
export function forgetAtExit(server: Pick<NativeServer, 'stopSync'>): void {
  if (running.delete(server) && running.size === 0) {
    process.off('exit', stopAll);
  }
}
