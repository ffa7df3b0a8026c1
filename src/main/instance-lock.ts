/**
 * One server per store: an abstract unix socket named after the folder, which the kernel frees on any death, so that a
 * crash never blocks the next start.
 */

import { createServer, type Server } from 'node:net';
import type { StoreIdentity } from '../shared/worker-jobs.ts';

/** Holds the store until it is released or the process ends. */
export interface InstanceLock {
  release(): void;
}

/** null: another process of this host (and network namespace) holds the store. */
export function lockStore(identity: StoreIdentity): Promise<InstanceLock | null> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: `\0hmac-file-server-${identity.device}-${identity.inode}` }, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}
