/** A port that two processes of a test are to know before either of them listens. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port on loopback on which nobody listens right now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
