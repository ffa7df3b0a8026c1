/** nginx with PUT by its DAV module, as a yardstick: own configuration, own port on loopback, no privileges needed. */

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Leftovers } from '../leftovers.ts';
import { ChildServer, findFreePort } from './child-server.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';
import { type RunningTarget, type Target, TargetError } from './target.ts';

const run = promisify(execFile);

/** Debian keeps nginx out of the PATH of ordinary users. */
const PLACES = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/nginx/sbin/nginx'];

interface Installed {
  readonly command: string;
  readonly version: string;
}

async function findNginx(): Promise<Installed> {
  for (const command of PLACES) {
    try {
      const { stderr } = await run(command, ['-V']);
      if (!stderr.includes('http_dav_module')) throw new TargetError(`${command} has no DAV module (http_dav_module)`);
      return { command, version: /nginx\/[\d.]+/.exec(stderr)?.[0] ?? 'nginx' };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new TargetError('nginx is not installed (Debian: apt-get install nginx)');
}

/**
 * Uploads go to a temporary file on the same file system and are renamed, as nginx does it; no logs, no limit of size. Body buffers
 * of 1 MiB instead of 16 KiB halve its CPU time for uploads: a yardstick should be a good one.
 */
function configuration(folder: string, port: number, workers: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/scratch;`)
    .join('\n');
  return `${user}
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 10000; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_buffer_size 1m;
${scratch}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder}/store;
    location / {
      dav_methods PUT DELETE;
      create_full_put_path on;
    }
  }
}
`;
}

export class NginxTarget implements Target {
  readonly name = 'nginx';
  readonly isOurs = true;
  readonly #leftovers: Leftovers;

  constructor(leftovers: Leftovers) {
    this.#leftovers = leftovers;
  }

  async start(folder: string): Promise<RunningTarget> {
    const { command, version } = await findNginx();
    const port = await findFreePort();
    const workers = availableParallelism();
    mkdirSync(join(folder, 'store'));
    mkdirSync(join(folder, 'scratch'));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(folder, port, workers));
    const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file];
    const server = new ChildServer({
      command,
      args,
      cwd: folder,
      environment: process.env,
      leftovers: this.#leftovers,
    });
    await server.ready(port);
    return {
      endpoint: loopbackEndpoint(port, { writeTemplate: '/{path}', readTemplate: '/{path}' }),
      description: `${version}, dav_methods PUT, ${workers} workers, sendfile`,
      pids: () => server.pids(),
      stop: () => server.stop(),
    };
  }
}
