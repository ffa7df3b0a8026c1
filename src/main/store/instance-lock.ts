/**
 * One server per store: an abstract unix socket named after the folder, which the kernel frees on any death, so that a
 * crash never blocks the next start.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { StoreIdentity } from '../../shared/worker-jobs.ts';

/** Holds the store until it is released or the process ends. */
export interface InstanceLock {
  release(): void;
}

export function lockAddress({ device, inode }: StoreIdentity): string {
  return `\0hmac-file-server-${device}-${inode}`;
}

/**
 * null: another process of this host (and network namespace) holds the store. `onVisitor` is given the socket of whoever
 * connects, which can be any process of this host.
 */
export function lockStore(identity: StoreIdentity, onVisitor: (socket: Socket) => void): Promise<InstanceLock | null> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer(onVisitor);
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: lockAddress(identity) }, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}
