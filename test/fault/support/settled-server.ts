/** A server whose first pass over the store is over: from here on it calls the store for its clients only. */

import { type ServerOptions, ServerProcess } from '../../support/server-process.ts';

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
