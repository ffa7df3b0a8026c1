/** The harness's own small servers as targets: each a process of its own with one thread. */

import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../endpoint.ts';
import type { Leftovers } from '../leftovers.ts';
import { ChildServer, findFreePort } from './child-server.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';
import type { RunningTarget, Target } from './target.ts';

interface Program {
  readonly description: string;
  readonly endpoint: Pick<Endpoint, 'writeTemplate' | 'readTemplate'> & Partial<Endpoint>;
}

const programs = {
  sink: {
    description: 'uWebSockets.js, one thread, discards uploads',
    endpoint: { writeTemplate: '/{path}', readTemplate: '/{size}', objects: 'by-size', keepsUploads: false },
  },
  'one-by-one': {
    description: 'uWebSockets.js, one thread, one fdatasync and one fsync of the folder for each upload',
    endpoint: { writeTemplate: '/{path}', readTemplate: '/{path}' },
  },
} satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

export function isProgramName(text: string): text is ProgramName {
  return Object.hasOwn(programs, text);
}

export class OwnProgram implements Target {
  readonly name: ProgramName;
  readonly isOurs = true;
  private readonly leftovers: Leftovers;

  constructor(name: ProgramName, leftovers: Leftovers) {
    this.name = name;
    this.leftovers = leftovers;
  }

  async start(folder: string): Promise<RunningTarget> {
    const port = await findFreePort();
    const script = fileURLToPath(new URL(`./${this.name}.js`, import.meta.url));
    const server = new ChildServer({
      command: process.execPath,
      args: [script, String(port)],
      cwd: folder,
      environment: process.env,
      leftovers: this.leftovers,
    });
    await server.ready(port);
    const { description, endpoint }: Program = programs[this.name];
    return {
      endpoint: loopbackEndpoint(port, endpoint),
      description,
      pids: () => server.pids(),
      stop: () => server.stop(),
    };
  }
}
