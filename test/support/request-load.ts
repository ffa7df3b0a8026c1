/**
 * Clients in a closed loop, half of them on kept connections: each uploads a file, reads it back, and does it again. What
 * fails is kept with its reason; nothing is tried twice.
 */

import * as http from 'node:http';
import * as https from 'node:https';
import { content } from './paced-transfer.ts';
import { TEST_SECRET } from './server-process.ts';
import { slotTarget } from './sign.ts';

/** Where the clients connect to. */
export interface LoadAddress {
  /** On 127.0.0.1. */
  readonly port?: number;
  /** Of a unix socket. */
  readonly socketPath?: string;
  /** Inside TLS: certificates that are trusted, and the name of the server. */
  readonly tls?: { readonly ca: string; readonly servername: string };
}

export interface LoadReport {
  readonly requests: number;
  /** One text for each request that was not answered as it should be; the first few of many. */
  readonly failures: readonly string[];
  readonly longestMs: number;
}

const BODY = content('load', 20_000);
const SHOWN_FAILURES = 5;

export class RequestLoad {
  private readonly address: LoadAddress;
  private readonly clients: Promise<void>[];
  private readonly failures: string[] = [];
  private requests = 0;
  private longestMs = 0;
  private readonly waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  private isOver = false;

  constructor(address: LoadAddress, clients: number) {
    this.address = address;
    this.clients = Array.from({ length: clients }, (_, id) => this.run(id));
  }

  /** How many requests have been answered so far. */
  get count(): number {
    return this.requests;
  }

  /** Resolves when so many requests have been answered. */
  reaches(count: number): Promise<void> {
    if (this.requests >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }

  /** Every client finishes what it has begun. */
  async stop(): Promise<LoadReport> {
    this.isOver = true;
    await Promise.all(this.clients);
    const { requests, failures, longestMs } = this;
    return { requests, failures: failures.slice(0, SHOWN_FAILURES), longestMs };
  }

  private async run(id: number): Promise<void> {
    const keepAlive = id % 2 === 0;
    const { tls } = this.address;
    const agent = tls === undefined ? new http.Agent({ keepAlive }) : new https.Agent({ keepAlive, ...tls });
    for (let round = 0; !this.isOver; round += 1) {
      const target = slotTarget(TEST_SECRET, '/files/', `load/${process.pid}/${id}/${round}`, BODY.length);
      await this.expect(201, agent, 'PUT', target);
      await this.expect(200, agent, 'GET', target.split('?')[0] ?? '');
    }
    agent.destroy();
  }

  private async expect(status: number, agent: http.Agent, method: string, path: string): Promise<void> {
    const startedMs = performance.now();
    const answer = await this.exchange(agent, method, path).catch((error: Error) => error.message);
    this.requests += 1;
    for (const { count, resolve } of this.waiting) if (count === this.requests) resolve();
    this.longestMs = Math.max(this.longestMs, performance.now() - startedMs);
    if (answer !== status)
      this.failures.push(`${method}: ${answer} after ${Math.round(performance.now() - startedMs)} ms`);
  }

  private exchange(agent: http.Agent, method: string, path: string): Promise<number | string> {
    const body = method === 'PUT' ? BODY : null;
    const host = this.address.tls?.servername ?? 'test';
    const headers = { Host: host, ...(body === null ? {} : { 'Content-Length': body.length }) };
    return new Promise((resolve, reject) => {
      const { tls, ...address } = this.address;
      const { request } = tls === undefined ? http : https;
      const target = { host: '127.0.0.1', ...address, method, path, headers, agent };
      const outgoing = request(target, (answer: http.IncomingMessage) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const isRight = method === 'PUT' || Buffer.concat(chunks).equals(BODY);
          resolve(isRight ? (answer.statusCode ?? 0) : 'another body');
        });
      });
      outgoing.once('error', reject).end(body);
    });
  }
}
