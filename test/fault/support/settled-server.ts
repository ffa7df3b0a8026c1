/** A server whose first pass over the store is over: from here on it calls the store for its clients only. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ServerOptions, ServerProcess } from '../../support/server-process.ts';

// `fetch` of Node 20 never settles when the first connection of its process ends while its parser is being compiled, as
// that to a server that crashes may: the first one is to a server that does not.
await fetchOnce();

export async function startSettled(options: ServerOptions): Promise<ServerProcess> {
  const server = await ServerProcess.start(options);
  try {
    await server.event('expiry.completed');
    return server;
  } catch (error) {
    server.kill('SIGKILL');
    await server.stop();
    throw error;
  }
}

async function fetchOnce(): Promise<void> {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  server.closeAllConnections();
  server.close();
}
