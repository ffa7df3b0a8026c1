/** A real proxy as a child process, with one of the shipped configurations, in front of a server of the test. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../support/free-port.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { shippedFile } from './shipped-file.ts';

const START_LIMIT_MS = 10_000;
const POLL_MS = 20;

/** What a kind of proxy needs to know to be started. */
export interface ProxySettings {
  readonly folder: string;
  readonly certificate: Certificate;
  /** Where it takes clients. */
  readonly port: number;
  /** Where the server is: `127.0.0.1:PORT`, or the path of a unix socket. */
  readonly upstream: string;
  /** Where its files lie. */
  readonly storeDir: string;
}

/** Writes what the proxy needs into its folder, and answers its command line. */
export type Prepare = (settings: ProxySettings) => Promise<readonly [command: string, ...args: string[]]>;

export class ProxyProcess {
  readonly port: number;
  readonly certificate: Certificate;
  readonly folder: string;
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private output = '';

  private constructor(child: ChildProcess, { port, certificate, folder }: ProxySettings) {
    this.child = child;
    this.port = port;
    this.certificate = certificate;
    this.folder = folder;
    this.exited = once(child, 'exit').catch((error: unknown) => {
      this.output += String(error);
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.output = (this.output + bytes.toString()).slice(-8_000);
      });
    }
  }

  static async start(prepare: Prepare, server: Pick<ProxySettings, 'upstream' | 'storeDir'>): Promise<ProxyProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'hmac-proxy-'));
    const settings = { folder, certificate: makeCertificate(folder), port: await findFreePort(), ...server };
    const [command, ...args] = await prepare(settings);
    const environment = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, HOME: folder, XDG_DATA_HOME: folder };
    const child = spawn(command, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const proxy = new ProxyProcess(child, settings);
    try {
      await proxy.ready();
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      this.child.kill('SIGKILL');
      await this.exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await accepts(this.port))) {
      if (this.child.exitCode !== null || this.child.pid === undefined || Date.now() > deadline) {
        throw new Error(`the proxy does not listen (Debian: nginx-light haproxy caddy): ${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** nginx: the shipped file is included where Debian's nginx.conf includes it. */
export function nginx(): Prepare {
  return (settings) => prepareNginx(settings, 'nginx/hmac-file-server.conf', []);
}

/** nginx that sends the files of the store itself. */
export function nginxWithStore(): Prepare {
  return (settings) => {
    const store = ['/var/lib/hmac-file-server/files/', `${settings.storeDir}/`] as const;
    return prepareNginx(settings, 'nginx/accel-redirect.conf', [store]);
  };
}

async function prepareNginx(
  { folder, certificate, port, upstream }: ProxySettings,
  file: string,
  replacements: readonly (readonly [string, string])[],
): ReturnType<Prepare> {
  const site = shippedFile(file, [
    ['server 127.0.0.1:8080;', `server ${upstream.startsWith('/') ? `unix:${upstream}` : upstream};`],
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['/etc/ssl/files.example.org.pem', certificate.certFile],
    ['/etc/ssl/files.example.org.key', certificate.keyFile],
    ...replacements,
  ]);
  writeFileSync(join(folder, 'site.conf'), site);
  mkdirSync(nginxScratch(folder));
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${nginxScratch(folder)};`)
    .join('\n');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  // One process, so that its end is the end of all of it.
  const main = `${user} daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 1000; }
http { access_log off; ${scratch} include ${folder}/site.conf; }
`;
  writeFileSync(join(folder, 'nginx.conf'), main);
  return ['nginx', '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
}

/** Where nginx would keep bodies that it buffers. */
export function nginxScratch(folder: string): string {
  return join(folder, 'scratch');
}

/** Files that nginx has put bodies into. */
export function bufferedBodies({ folder }: Pick<ProxyProcess, 'folder'>): readonly string[] {
  return readdirSync(nginxScratch(folder));
}

export function haproxy(replacements: readonly [string, string][] = []): Prepare {
  return async ({ folder, certificate, port, upstream }) => {
    const text = shippedFile('haproxy/haproxy.cfg', [
      ['127.0.0.1:8080', upstream],
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/certs/files.example.org.pem', certificate.bothFile],
      ...replacements,
    ]);
    writeFileSync(join(folder, 'haproxy.cfg'), text);
    return ['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')];
  };
}

export function caddy(): Prepare {
  return async ({ folder, certificate, port, upstream }) => {
    const text = shippedFile('caddy/Caddyfile', [
      ['127.0.0.1:8080', upstream.startsWith('/') ? `unix/${upstream}` : upstream],
      ['http_port 80', `http_port ${await findFreePort()}`],
      ['https_port 443', `https_port ${port}`],
      ['/etc/caddy/files.example.org.pem', certificate.certFile],
      ['/etc/caddy/files.example.org.key', certificate.keyFile],
    ]);
    // Its own administration port would be taken by whoever else runs on this machine.
    writeFileSync(join(folder, 'Caddyfile'), text.replace('{\n', '{\n\tadmin off\n'));
    return ['caddy', 'run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not listening yet.
    return false;
  } finally {
    socket.destroy();
  }
}
