/**
 * Reads one HTTP/1.1 response at a time out of raw chunks (RFC 9112). Strict, because a wrong answer must count as an error: bytes
 * behind the end, a broken head or a broken chunk make the response malformed.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const LONGEST_HEAD = 64 * 1024;

export interface ResponseHead {
  readonly status: number;
  /** The head as received, status line first. */
  readonly text: string;
  /** Value of Content-Length; null when there is none. */
  readonly lengthBytes: number | null;
}

/** Takes the body of a response; the bytes are valid only during the call. */
export type BodyReceiver = (bytes: Buffer) => void;

/** `closing`: complete, and the connection cannot be used again. */
export type ParseResult = 'incomplete' | 'complete' | 'closing' | 'malformed';

type State = 'idle' | 'head' | 'length' | 'chunk-line' | 'chunk-data' | 'chunk-end' | 'trailer' | 'until-close';

/** Value of a field in a response head, without white space around it; null when it is missing. */
export function fieldOf(head: ResponseHead, name: string): string | null {
  const found = new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'i').exec(head.text);
  return found?.[1]?.trimEnd() ?? null;
}

export class ResponseParser {
  private readonly onHead: (head: ResponseHead) => void;
  private readonly onBody: BodyReceiver;
  private state: State = 'idle';
  private isHeadOnly = false;
  private isClosing = false;
  private pending: Buffer | null = null;
  private left = 0;

  constructor(receiver: { readonly onHead: (head: ResponseHead) => void; readonly onBody: BodyReceiver }) {
    this.onHead = receiver.onHead;
    this.onBody = receiver.onBody;
  }

  /** Expects the answer to a request; `isHeadOnly` when that is a HEAD, whose answer has no body (RFC 9110 §9.3.2). */
  expect(isHeadOnly: boolean): void {
    this.state = 'head';
    this.isHeadOnly = isHeadOnly;
    this.isClosing = false;
    this.pending = null;
  }

  /** Takes the next bytes of the connection. */
  feed(received: Buffer): ParseResult {
    const bytes = this.pending === null ? received : Buffer.concat([this.pending, received]);
    this.pending = null;
    let offset = 0;
    while (offset < bytes.length) {
      const used = this.step(bytes, offset);
      if (used < 0) return 'malformed';
      if (used === 0) {
        this.pending = Buffer.from(bytes.subarray(offset));
        return this.pending.length > LONGEST_HEAD ? 'malformed' : 'incomplete';
      }
      offset += used;
    }
    if (this.state !== 'idle') return 'incomplete';
    return this.isClosing ? 'closing' : 'complete';
  }

  /** The connection ended: true when that completes the response (RFC 9112 §6.3, rule 8). */
  end(): boolean {
    const isComplete = this.state === 'until-close';
    this.state = 'idle';
    return isComplete;
  }

  /** Consumes from `offset`: bytes used, 0 when more are needed, negative when they are not a response. */
  private step(bytes: Buffer, offset: number): number {
    switch (this.state) {
      case 'idle':
        return -1;
      case 'head':
        return this.readHead(bytes, offset);
      case 'length':
      case 'chunk-data':
      case 'until-close':
        return this.readData(bytes, offset);
      case 'chunk-line':
      case 'chunk-end':
      case 'trailer':
        return this.readLine(bytes, offset);
    }
  }

  private readHead(bytes: Buffer, offset: number): number {
    const end = bytes.indexOf(HEAD_END, offset);
    if (end < 0) return 0;
    const text = bytes.toString('latin1', offset, end);
    const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$|\r)/.exec(text)?.[1];
    if (status === undefined) return -1;
    const code = Number(status);
    const used = end + HEAD_END.length - offset;
    if (code >= 100 && code < 200) return used;
    return this.beginBody(code, text) ? used : -1;
  }

  /** Message body length, in the order of RFC 9112 §6.3. */
  private beginBody(status: number, text: string): boolean {
    const length = /\r\ncontent-length:[ \t]*([^\r]*)/i.exec(text)?.[1]?.trimEnd();
    if (length !== undefined && !/^\d{1,15}$/.test(length)) return false;
    const head: ResponseHead = { status, text, lengthBytes: length === undefined ? null : Number(length) };
    this.isClosing = /\r\nconnection:[^\r]*\bclose\b/i.test(text) || text.startsWith('HTTP/1.0');
    if (this.isHeadOnly || status === 204 || status === 304) this.state = 'idle';
    else if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(text)) this.state = 'chunk-line';
    else if (head.lengthBytes === null) this.state = 'until-close';
    else this.beginRun(head.lengthBytes);
    this.onHead(head);
    return true;
  }

  private beginRun(length: number): void {
    this.left = length;
    this.state = length === 0 ? 'idle' : 'length';
  }

  private readData(bytes: Buffer, offset: number): number {
    const available = bytes.length - offset;
    if (this.state === 'until-close') {
      this.onBody(bytes.subarray(offset));
      return available;
    }
    const used = Math.min(this.left, available);
    this.onBody(offset === 0 && used === bytes.length ? bytes : bytes.subarray(offset, offset + used));
    this.left -= used;
    if (this.left === 0) this.state = this.state === 'length' ? 'idle' : 'chunk-end';
    return used;
  }

  /** Lines of the chunked coding (RFC 9112 §7.1): sizes, the empty line behind a chunk, trailers. */
  private readLine(bytes: Buffer, offset: number): number {
    const end = bytes.indexOf('\r\n', offset, 'latin1');
    if (end < 0) return 0;
    const line = bytes.toString('latin1', offset, end);
    if (this.state === 'chunk-line') {
      if (!/^[0-9a-f]{1,12}[ \t]*(?:;.*)?$/i.test(line)) return -1;
      this.left = Number.parseInt(line, 16);
      this.state = this.left === 0 ? 'trailer' : 'chunk-data';
    } else if (this.state === 'chunk-end') {
      if (line !== '') return -1;
      this.state = 'chunk-line';
    } else if (line === '') {
      this.state = 'idle';
    }
    return end + 2 - offset;
  }
}
