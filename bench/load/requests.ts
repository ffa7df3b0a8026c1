/** Prepared requests: every head is built here, once, outside of the hot path where that is possible. */

import { type Endpoint, readTarget, writeTarget } from '../endpoint.ts';
import { BLOCK_BYTES, type Payload, phaseOf } from '../payload.ts';
import { seededRandom } from '../random.ts';
import { drawSize, type Load } from '../scenario.ts';
import { type ExpectedContent, type OutgoingRequest, payloadContent } from './exchange.ts';
import { fieldOf } from './response-parser.ts';

const FILES_PER_FOLDER = 1000;

/** A file that a load writes or reads, known by its number alone: no list of them is kept. */
export interface NumberedFile {
  readonly path: string;
  readonly size: number;
  readonly phase: number;
}

/** A row of files below one prefix, at most 1,000 to a folder. Same prefix, sizes and seed: same files. */
export function numberedFile(prefix: string, sizes: Load['sizes'], seed: number, number: number): NumberedFile {
  return {
    path: `${prefix}/${Math.floor(number / FILES_PER_FOLDER)}/${number}.bin`,
    size: drawSize(sizes, seededRandom(seed + number)),
    phase: phaseOf(seed + number),
  };
}

export class RequestFactory {
  readonly endpoint: Endpoint;
  private readonly commonFields: string;

  /** `isClosing`: each request asks for the end of its connection. */
  constructor(endpoint: Endpoint, isClosing: boolean) {
    this.endpoint = endpoint;
    this.commonFields = `Host: ${endpoint.authority}\r\n${isClosing ? 'Connection: close\r\n' : ''}`;
  }

  /** The head of a request; `fields` are complete lines. */
  head(method: string, target: string, fields = ''): string {
    return `${method} ${target} HTTP/1.1\r\n${this.commonFields}${fields}\r\n`;
  }

  put(file: NumberedFile): OutgoingRequest {
    const fields = `Content-Type: ${this.endpoint.mediaType}\r\nContent-Length: ${file.size}\r\n`;
    return {
      head: this.head('PUT', writeTarget(this.endpoint, file.path, file.size), fields),
      isHeadOnly: false,
      body: { phase: file.phase, offset: 0, lengthBytes: file.size },
      expectedStatus: 201,
      expectedContent: null,
      checkHead: null,
    };
  }

  get(readable: ReadableFile): OutgoingRequest {
    return {
      head: this.head('GET', readable.target),
      isHeadOnly: false,
      body: null,
      expectedStatus: 200,
      expectedContent: readable.content(0, readable.size),
      checkHead: null,
    };
  }

  /** Bytes `from` to `from + length - 1` (RFC 9110 §14.2); the answer must name exactly these. */
  getRange(readable: ReadableFile, from: number, length: number): OutgoingRequest {
    const last = from + length - 1;
    const contentRange = `bytes ${from}-${last}/${readable.size}`;
    return {
      head: this.head('GET', readable.target, `Range: bytes=${from}-${last}\r\n`),
      isHeadOnly: false,
      body: null,
      expectedStatus: 206,
      expectedContent: readable.content(from, length),
      checkHead: (head) => (fieldOf(head, 'content-range') === contentRange ? null : 'wrong Content-Range'),
    };
  }

  headOf(readable: ReadableFile): OutgoingRequest {
    return {
      head: this.head('HEAD', readable.target),
      isHeadOnly: true,
      body: null,
      expectedStatus: 200,
      expectedContent: null,
      checkHead: (head) => (head.lengthBytes === readable.size ? null : 'wrong length'),
    };
  }

  /** A file that is already gone counts as deleted. */
  delete(target: string): OutgoingRequest {
    return {
      head: this.head('DELETE', target),
      isHeadOnly: false,
      body: null,
      expectedStatus: null,
      expectedContent: null,
      checkHead: ({ status }) => (status < 300 || status === 404 ? null : `status ${status}`),
    };
  }
}

/** Something to GET: where it is, how long it is, and what any part of it must be. */
export interface ReadableFile {
  readonly target: string;
  readonly size: number;
  readonly content: (from: number, length: number) => ExpectedContent;
}

/** The readable side of an uploaded file. */
export function uploadedFile(endpoint: Endpoint, payload: Payload, file: NumberedFile): ReadableFile {
  return {
    target: readTarget(endpoint, file.path, file.size),
    size: file.size,
    content: (from, length) => payloadContent(payload, file.phase, from, length),
  };
}

/** Reads an upload again: whole when it is small, its last bytes otherwise, which also proves its length. */
export function readBack(factory: RequestFactory, readable: ReadableFile): OutgoingRequest {
  if (readable.size <= 16 * BLOCK_BYTES) return factory.get(readable);
  return factory.getRange(readable, readable.size - BLOCK_BYTES, BLOCK_BYTES);
}
