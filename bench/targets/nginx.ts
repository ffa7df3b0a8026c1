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

/** Directives of nginx in the name of a target, `nginx?client_body_buffer_size=1m`: values by name, in the `http` block. */
export type NginxDirectives = ReadonlyMap<string, string>;

/** Reads what stands behind the `?`. Whether there is such a directive is for nginx to say. */
export function parseNginxDirectives(text: string): NginxDirectives {
  const directives = new Map<string, string>();
  for (const part of text.split('&')) {
    const [, name, value] = /^([a-z_]+)=([\w./: -]+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      throw new TargetError(`"${part}" is no directive; write client_body_buffer_size=1m`);
    }
    directives.set(name, value);
  }
  return directives;
}

/**
 * Uploads go to a temporary file on the same file system and are renamed, as nginx does it; no logs, no limit of size.
 * Everything else is as nginx and Debian have it, unless directives say otherwise.
 */
function configuration(folder: string, port: number, workers: number, directives: NginxDirectives): string {
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
${scratch}
${[...directives].map(([name, value]) => `  ${name} ${value};`).join('\n')}
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
  readonly name: string;
  readonly isOurs = true;
  private readonly directives: NginxDirectives;
  private readonly leftovers: Leftovers;

  constructor(name: string, directives: NginxDirectives, leftovers: Leftovers) {
    this.name = name;
    this.directives = directives;
    this.leftovers = leftovers;
  }

  async start(folder: string): Promise<RunningTarget> {
    const { command, version } = await findNginx();
    const port = await findFreePort();
    const workers = availableParallelism();
    mkdirSync(join(folder, 'store'));
    mkdirSync(join(folder, 'scratch'));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(folder, port, workers, this.directives));
    const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file];
    const server = new ChildServer({
      command,
      args,
      cwd: folder,
      environment: process.env,
      leftovers: this.leftovers,
    });
    await server.ready(port);
    const directives = [...this.directives].map(([name, value]) => `${name} ${value}`);
    return {
      endpoint: loopbackEndpoint(port, { writeTemplate: '/{path}', readTemplate: '/{path}' }),
      description: [version, 'dav_methods PUT', `${workers} workers`, 'sendfile', ...directives].join(', '),
      pids: () => server.pids(),
      stop: () => server.stop(),
    };
  }
}
