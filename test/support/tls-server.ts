/** A server that speaks TLS, and requests to it with the certificate that it showed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { type Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { pathOf } from './paced-transfer.ts';
import { ServerProcess, type TomlSettings } from './server-process.ts';
import { type CertificateName, installCertificate, tlsSettings, trustedCertificates } from './test-certificate.ts';

export interface TlsAnswer {
  readonly status: number;
  readonly fields: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
  /** Common name of the server's certificate. */
  readonly certificate: string;
}

export interface TlsRequest {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Keeps connections; without it each request has one of its own. */
  readonly agent?: Agent | undefined;
}

export class TlsServer {
  readonly server: ServerProcess;
  /** Holds the certificate. */
  readonly folder: string;

  private constructor(server: ServerProcess, folder: string) {
    this.server = server;
    this.folder = folder;
  }

  static async start(settings: TomlSettings): Promise<TlsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'hmac-tls-'));
    installCertificate(folder, 'first');
    return new TlsServer(await ServerProcess.start({ settings: { ...tlsSettings(folder), ...settings } }), folder);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true });
  }

  install(name: CertificateName): void {
    installCertificate(this.folder, name);
  }

  put(key: string, body: Uint8Array, agent?: Agent): Promise<TlsAnswer> {
    return this.exchange(this.server.signedTarget(key, body.length), { method: 'PUT', body, agent });
  }

  get(key: string, options: TlsRequest = {}): Promise<TlsAnswer> {
    return this.exchange(pathOf(this.server, key), options);
  }

  exchange(path: string, options: TlsRequest): Promise<TlsAnswer> {
    const { method = 'GET', fields = {}, body = null, agent = false } = options;
    const headers = body === null ? { ...fields } : { ...fields, 'Content-Length': body.length };
    const target = { host: '127.0.0.1', port: this.server.port, path, method, headers };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...target, agent, ca: [...trustedCertificates] }, (answer) => {
        const { subject } = (answer.socket as TLSSocket).getPeerCertificate();
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const { statusCode: status = 0, headers: answered } = answer;
          resolve({ status, fields: answered, body: Buffer.concat(chunks), certificate: String(subject.CN) });
        });
      });
      outgoing.once('error', reject).end(body);
    });
  }
}
