/**
 * Clients that send and read at their own pace: slow ones, stalled ones, and those that leave in the middle. One
 * connection each, and nothing is read from it before the test asks for it, so a client that does not read is exactly
 * that.
 */

import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ServerProcess } from './server-process.ts';

/** Paced clients move a little this often. */
const PACE_MS = 100;

export interface PacedHead {
  readonly status: number;
  /** The head as it came, without the empty line behind it. */
  readonly text: string;
  /** Names in lower case; a repeated field keeps its last line. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface PacedAnswer extends PacedHead {
  readonly body: Buffer;
}

/** Bytes that look random and are the same for the same seed. */
export function content(seed: string, length: number): Buffer<ArrayBuffer> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return Buffer.from(createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length)));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Resolves after a while: the time between two steps of a client that has a pace. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Stores a file by a signed PUT and answers its URL. */
export async function store(server: ServerProcess, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  assert.equal(await put(server, key, bytes), 201, `PUT ${key}`);
  return urlOf(server, key);
}

/** Status of a signed PUT. */
export async function put(server: ServerProcess, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const response = await fetch(server.origin + server.signedTarget(key, bytes.length), { method: 'PUT', body: bytes });
  await response.arrayBuffer();
  return response.status;
}

/** URL without a query. */
export function urlOf(server: ServerProcess, key: string): string {
  return server.origin + pathOf(server, key);
}

export function pathOf(server: ServerProcess, key: string): string {
  return server.signedTarget(key, 0).split('?')[0] ?? '';
}

export class PacedClient {
  readonly closed: Promise<void>;
  isClosed = false;
  private readonly socket: Socket;
  private isEnded = false;
  private rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
    socket.once('end', () => {
      this.isEnded = true;
    });
    // A reset is a way to end like others: whoever waits for bytes learns of it by `closed`.
    socket.on('error', () => {
      this.isEnded = true;
    });
  }

  static async connect(server: Pick<ServerProcess, 'port'>): Promise<PacedClient> {
    const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new PacedClient(socket);
  }

  /** Sends the head of a signed upload and nothing of its body. */
  static async openUpload(server: ServerProcess, key: string, sizeBytes: number): Promise<PacedClient> {
    const client = await PacedClient.connect(server);
    await client.send(uploadHead(server, key, sizeBytes));
    return client;
  }

  /** Sends a GET and reads nothing of the answer. */
  static async openDownload(server: ServerProcess, key: string, fields = ''): Promise<PacedClient> {
    const client = await PacedClient.connect(server);
    await client.send(`GET ${pathOf(server, key)} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`);
    return client;
  }

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
  }

  async sendAtRate(bytes: Uint8Array, bytesPerSecond: number): Promise<void> {
    const step = Math.ceil((bytesPerSecond * PACE_MS) / 1000);
    for (let at = 0; at < bytes.length && !this.isClosed; at += step) {
      await Promise.all([this.send(bytes.subarray(at, at + step)), pause(PACE_MS)]);
    }
  }

  /** Takes exactly so many bytes; rejects when the connection ends before. */
  async receive(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part = this.take(missing);
      if (part !== null) {
        parts.push(part);
        missing -= part.length;
      } else if (this.isEnded || this.isClosed) throw new Error(`connection ended ${missing} bytes early`);
      else await this.readable();
    }
    return Buffer.concat(parts);
  }

  async receiveAtRate(length: number, bytesPerSecond: number): Promise<Buffer> {
    const step = Math.ceil((bytesPerSecond * PACE_MS) / 1000);
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; missing -= step) {
      const [part] = await Promise.all([this.receive(Math.min(step, missing)), pause(PACE_MS)]);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** Reads one head; interim answers (1xx) are heads of their own. */
  async receiveHead(): Promise<PacedHead> {
    let text = '';
    while (!text.endsWith('\r\n\r\n')) text += (await this.receive(1)).toString('latin1');
    return parseHead(text.slice(0, -4));
  }

  /** Reads one answer to a request of that method, by its Content-Length and nothing else. */
  async receiveAnswer(method = 'GET'): Promise<PacedAnswer> {
    const head = await this.receiveHead();
    const isBodyless = method === 'HEAD' || head.status === 204 || head.status === 304;
    const length = isBodyless ? 0 : Number(head.fields.get('content-length'));
    return { ...head, body: await this.receive(length) };
  }

  /** Reads everything until the server ends the connection, and counts it. */
  async drain(): Promise<number> {
    let count = this.rest.length;
    this.rest = Buffer.alloc(0);
    while (!this.isClosed) {
      const part: Buffer | null = this.socket.read();
      if (part === null) await this.readable();
      else count += part.length;
    }
    return count;
  }

  /** Ends the connection in order. */
  close(): void {
    this.socket.destroy();
  }

  /** Ends the connection by a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  private take(length: number): Buffer | null {
    if (this.rest.length === 0) this.rest = this.socket.read() ?? this.rest;
    if (this.rest.length === 0) return null;
    const part = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(part.length);
    return part;
  }

  private readable(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ['readable', 'end', 'close']) this.socket.off(event, done);
        resolve();
      };
      for (const event of ['readable', 'end', 'close']) this.socket.once(event, done);
      if (this.isClosed) done();
    });
  }
}

/** Head of a signed PUT. */
export function uploadHead(server: ServerProcess, key: string, sizeBytes: number): string {
  return `PUT ${server.signedTarget(key, sizeBytes)} HTTP/1.1\r\nHost: test\r\nContent-Length: ${sizeBytes}\r\n\r\n`;
}

function parseHead(text: string): PacedHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, text, fields };
}
