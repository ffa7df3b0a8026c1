/**
 * A client below HTTP: sends exactly the bytes it is given, in the packets it is given, and reads whatever comes back,
 * interim and several responses included. Nothing is normalised, and every wait has a limit.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** Text is sent as UTF-8. */
export type RawBytes = string | Uint8Array;

export interface RawResponse {
  readonly status: number;
  /** Field lines in the order of arrival, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface ReadOptions {
  /** The response is to a HEAD request: it has no body, whatever its fields say. */
  readonly isToHead?: boolean;
  readonly timeoutMs?: number;
}

export interface TlsOptions {
  readonly servername: string;
  /** The certificate that is trusted. */
  readonly ca: string;
  /** The address that the peer sees. */
  readonly localAddress?: string;
}

const TIMEOUT_MS = 5_000;
/** Long enough for the receiver to have read one packet before the next arrives. Part of what is sent, not a wait. */
const PACKET_GAP_MS = 25;
const PIECE_BYTES = 256 * 1024;
const HEAD_END = '\r\n\r\n';

/** One TCP connection. `drop` it when done; a test that does not leaves an open handle behind. */
export class RawConnection {
  private readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private isOver = false;
  private wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
      this.wake();
    });
    // A reset is an end like any other; `close` follows.
    socket.on('error', () => {});
    for (const event of ['end', 'close']) socket.on(event, () => this.over());
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** The same bytes inside TLS: to a server of that name with a certificate that is trusted here. */
  static openTls(port: number, options: TlsOptions): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, ALPNProtocols: ['http/1.1'], ...options });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** True once the peer has closed. */
  get isClosed(): boolean {
    return this.isOver;
  }

  /** Sends each argument in a packet of its own. Resolves when all were handed over, or when the peer has closed. */
  async send(...packets: readonly RawBytes[]): Promise<void> {
    for (const [index, packet] of packets.entries()) {
      if (index > 0) await delay(PACKET_GAP_MS);
      if (this.isOver || this.socket.destroyed) return;
      if (!this.socket.write(packet)) await this.drained();
    }
  }

  /**
   * Sends in pieces, and stops when something has come back or the peer has closed: as a client does that watches the
   * connection meanwhile (RFC 9112 §9.5). One that does not may lose an early answer to the reset behind it.
   */
  async sendWatching(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.rest.length === 0; at += PIECE_BYTES) {
      await this.send(bytes.subarray(at, at + PIECE_BYTES));
      // What has arrived is read in the next turn, whether the peer takes more or not.
      await nextTurn();
    }
  }

  /** The next response, interim ones (1xx) included. Rejects when the connection closes first. */
  async response(options: ReadOptions = {}): Promise<RawResponse> {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    await this.until(() => this.isOver || this.rest.includes(HEAD_END), 'response', timeoutMs);
    const headEnd = this.rest.indexOf(HEAD_END);
    if (headEnd === -1) throw new Error(`closed before a response; unread: ${this.excerpt()}`);
    const { status, fields } = parseHead(this.rest.toString('latin1', 0, headEnd));
    this.rest = this.rest.subarray(headEnd + HEAD_END.length);
    const length = bodyLength(status, fields, options.isToHead ?? false);
    const needed = length ?? Number.POSITIVE_INFINITY;
    await this.until(() => this.isOver || this.rest.length >= needed, 'body', timeoutMs);
    if (length !== null && this.rest.length < length) throw new Error(`closed within a body of ${length} bytes`);
    const body = Buffer.from(this.rest.subarray(0, length ?? this.rest.length));
    this.rest = this.rest.subarray(body.length);
    return { status, fields, body };
  }

  /** The next response that is not interim. */
  async finalResponse(options: ReadOptions = {}): Promise<RawResponse> {
    for (;;) {
      const response = await this.response(options);
      if (response.status >= 200) return response;
    }
  }

  /** All responses that come until the peer closes. Rejects when it does not, or when one is incomplete. */
  async responsesUntilClose(timeoutMs = TIMEOUT_MS): Promise<readonly RawResponse[]> {
    await this.closed(timeoutMs);
    const responses: RawResponse[] = [];
    while (this.rest.length > 0) responses.push(await this.response());
    return responses;
  }

  /** Resolves when something has come that was not read yet. */
  unread(timeoutMs = TIMEOUT_MS): Promise<void> {
    return this.until(() => this.rest.length > 0, 'bytes', timeoutMs);
  }

  /** Resolves when the peer has closed. */
  closed(timeoutMs = TIMEOUT_MS): Promise<void> {
    return this.until(() => this.isOver, 'close', timeoutMs);
  }

  /** Ends our side only. */
  halfClose(): void {
    this.socket.end();
  }

  /** Ends the connection at once, with a reset when bytes are under way. */
  drop(): void {
    this.socket.destroy();
  }

  /** Ends the connection with a reset, unless the peer has ended it. */
  reset(): void {
    // Node 20 never lets go of a socket that is reset while it is being shut down.
    if (this.isOver) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  private over(): void {
    this.isOver = true;
    this.wake();
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('drain', resolve);
      this.socket.once('close', resolve);
    });
  }

  private async until(condition: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what} within ${timeoutMs} ms; unread: ${this.excerpt()}`);
      await this.change(left);
    }
  }

  private change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private excerpt(): string {
    return JSON.stringify(this.rest.toString('latin1', 0, 200));
  }
}

function parseHead(text: string): Pick<RawResponse, 'status' | 'fields'> {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.1 ([0-9]{3}) /.exec(statusLine)?.[1];
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(statusLine.slice(0, 200))}`);
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`no field line: ${JSON.stringify(line)}`);
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(status), fields };
}

/** RFC 9112 §6.3; null: until the connection closes. */
function bodyLength(status: number, fields: RawResponse['fields'], isToHead: boolean): number | null {
  if (isToHead || status < 200 || status === 204 || status === 304) return 0;
  const length = fieldOf({ fields }, 'content-length');
  return length === null ? null : Number(length);
}

/** The value of a field that stands at most once; null without one. `name` in lower case. */
export function fieldOf(response: Pick<RawResponse, 'fields'>, name: string): string | null {
  const values = response.fields.filter((field) => field[0] === name);
  if (values.length > 1) throw new Error(`${name} stands ${values.length} times`);
  return values[0]?.[1] ?? null;
}

/** A request with `Host`, the given field lines, and `Content-Length` when there is a body. */
export function requestBytes(
  method: string,
  target: RawBytes,
  fields: Readonly<Record<string, string>> = {},
  body: RawBytes | null = null,
): Buffer {
  const content = Buffer.from(body ?? '');
  const length = body === null ? {} : { 'Content-Length': String(content.length) };
  const lines = Object.entries({ Host: 'test', ...length, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const rest = Buffer.from(` HTTP/1.1\r\n${lines.join('')}\r\n`);
  return Buffer.concat([Buffer.from(`${method} `), Buffer.from(target), rest, content]);
}

/** Sends the packets on a connection of their own and resolves to the first final response. */
export async function exchange(
  port: number,
  packets: RawBytes | readonly RawBytes[],
  options: ReadOptions = {},
): Promise<RawResponse> {
  const connection = await RawConnection.open(port);
  try {
    await connection.send(...(typeof packets === 'string' || packets instanceof Uint8Array ? [packets] : packets));
    return await connection.finalResponse(options);
  } finally {
    connection.drop();
  }
}

/** Sends the packets on a connection of their own, which the peer must close, and resolves to all its responses. */
export async function exchangeUntilClose(
  port: number,
  ...packets: readonly RawBytes[]
): Promise<readonly RawResponse[]> {
  const connection = await RawConnection.open(port);
  try {
    await connection.send(...packets);
    return await connection.responsesUntilClose();
  } finally {
    connection.drop();
  }
}

/** GET with exactly this spelling of the target. */
export function get(port: number, target: RawBytes): Promise<RawResponse> {
  return exchange(port, requestBytes('GET', target));
}

/** PUT with exactly this spelling of the target. */
export function put(
  port: number,
  target: RawBytes,
  body: RawBytes,
  fields: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return exchange(port, requestBytes('PUT', target, fields, body));
}
