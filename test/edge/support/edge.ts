/** A server with a real proxy in front of it, and clients that talk to the proxy: inside TLS, from an address of their own. */

import { join } from 'node:path';
import { RawConnection, type RawResponse, requestBytes } from '../../support/raw-http.ts';
import { type LogLine, ServerProcess, type TomlSettings } from '../../support/server-process.ts';
import { SERVER_NAME } from './certificate.ts';
import { type Prepare, ProxyProcess } from './proxy-process.ts';

/** Clients come from here, and the proxy connects from 127.0.0.1. */
export const CLIENT = '127.0.0.5';

export interface EdgeOptions {
  readonly prepare: Prepare;
  /** `unix`: the proxy reaches the server by its unix socket. */
  readonly transport?: 'tcp' | 'unix';
}

/** A server and a proxy in front of it. */
export class Edge {
  readonly server: ServerProcess;
  readonly proxy: ProxyProcess;

  private constructor(server: ServerProcess, proxy: ProxyProcess) {
    this.server = server;
    this.proxy = proxy;
  }

  static async start({ prepare, transport }: EdgeOptions, settings: TomlSettings = {}): Promise<Edge> {
    const isUnix = transport === 'unix';
    const listen = isUnix ? { ListenPort: './http.sock', UnixSocket: true, TrustedProxies: ['unix'] } : {};
    const server = await ServerProcess.start({ settings: { TrustedProxies: ['127.0.0.1'], ...listen, ...settings } });
    try {
      const upstream = isUnix ? join(server.folder, 'http.sock') : `127.0.0.1:${server.port}`;
      return new Edge(server, await ProxyProcess.start(prepare, { upstream, storeDir: server.storeDir }));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.server.stop();
  }

  connect(): Promise<RawConnection> {
    const { port, certificate } = this.proxy;
    return RawConnection.openTls(port, { servername: SERVER_NAME, ca: certificate.pem, localAddress: CLIENT });
  }

  /** One request on a connection of its own. */
  async exchange(request: Uint8Array, isToHead = false): Promise<RawResponse> {
    const connection = await this.connect();
    try {
      await connection.send(request);
      return await connection.finalResponse({ isToHead, timeoutMs: 20_000 });
    } finally {
      connection.drop();
    }
  }

  /** The same for an upload that may be refused early: with `Expect` the body waits for the interim answer. */
  async upload(target: string, body: Uint8Array, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
    const length = { 'Content-Length': String(body.length) };
    const connection = await this.connect();
    try {
      await connection.send(this.request('PUT', target, { ...length, ...fields }));
      if ('Expect' in fields) {
        const first = await connection.response({ timeoutMs: 20_000 });
        if (first.status >= 200) return first;
      }
      await connection.sendWatching(body);
      return await connection.finalResponse({ timeoutMs: 20_000 });
    } finally {
      connection.drop();
    }
  }

  request(method: string, target: string, fields: Readonly<Record<string, string>> = {}, body?: Uint8Array): Buffer {
    return requestBytes(method, target, { Host: SERVER_NAME, ...fields }, body ?? null);
  }

  put(key: string, body: Uint8Array): Promise<RawResponse> {
    return this.exchange(this.request('PUT', this.server.signedTarget(key, body.length), {}, body));
  }

  get(key: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
    return this.exchange(this.request('GET', this.path(key), fields));
  }

  path(key: string): string {
    return this.server.signedTarget(key, 0).split('?')[0] ?? '';
  }

  /** All lines of the log about what was answered before. */
  async linesUpToNow(): Promise<readonly LogLine[]> {
    const marker = `/files/marker-${performance.now()}`;
    await this.exchange(this.request('GET', marker));
    const line = await this.server.event('request.completed', 10_000, ({ path }) => path === marker);
    return this.server.lines.slice(0, this.server.lines.indexOf(line));
  }
}
