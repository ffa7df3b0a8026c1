/** The discarding sink as a target: a process of its own, one thread. */

import { fileURLToPath } from 'node:url';
import type { Leftovers } from '../leftovers.ts';
import { ChildServer, findFreePort } from './child-server.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';
import type { RunningTarget, Target } from './target.ts';

export class SinkTarget implements Target {
  readonly name = 'sink';
  readonly isOurs = true;
  readonly #leftovers: Leftovers;

  constructor(leftovers: Leftovers) {
    this.#leftovers = leftovers;
  }

  async start(folder: string): Promise<RunningTarget> {
    const port = await findFreePort();
    const script = fileURLToPath(new URL('./sink.js', import.meta.url));
    const server = new ChildServer({
      command: process.execPath,
      args: [script, String(port)],
      cwd: folder,
      environment: process.env,
      leftovers: this.#leftovers,
    });
    await server.ready(port);
    return {
      endpoint: loopbackEndpoint(port, {
        writeTemplate: '/{path}',
        readTemplate: '/{size}',
        objects: 'by-size',
        keepsUploads: false,
      }),
      description: 'uWebSockets.js, one thread, discards uploads',
      pids: () => server.pids(),
      stop: () => server.stop(),
    };
  }
}
