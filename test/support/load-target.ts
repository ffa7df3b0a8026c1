/**
 * A small HTTP server for tests of the load generator: it keeps uploads in memory, serves them whole, by range or as HEAD, speaks
 * enough tus 1.0 for an upload in pieces, and can be told to misbehave.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What a server does wrong. Each function sees the answer in the making; true: it has dealt with the request itself. */
export interface LoadTargetOptions {
  /** Changes a body before it is kept. */
  readonly tamper?: (body: Buffer) => Buffer;
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, count: number) => boolean;
}

interface TusUpload {
  readonly path: string;
  readonly length: number;
  body: Buffer;
}

export class LoadTarget {
  /** Kept uploads by path. */
  readonly files = new Map<string, Buffer>();
  /** Method and target of every request. */
  readonly requests: string[] = [];
  connections = 0;
  private readonly options: LoadTargetOptions;
  private readonly uploads = new Map<string, TusUpload>();
  private readonly server: Server;

  private constructor(options: LoadTargetOptions) {
    this.options = options;
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(options: LoadTargetOptions = {}): Promise<LoadTarget> {
    const target = new LoadTarget(options);
    target.server.listen(0, '127.0.0.1');
    await once(target.server, 'listening');
    return target;
  }

  /** Prefix for uploads. */
  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Requests of one method. */
  count(method: string): number {
    return this.requests.filter((request) => request.startsWith(`${method} `)).length;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    this.requests.push(`${method} ${request.url ?? ''}`);
    if (this.options.intercept?.(request, response, this.requests.length) === true) return;
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    const body = await readBody(request);
    switch (method) {
      case 'PUT':
        this.files.set(path, this.options.tamper?.(body) ?? body);
        response.writeHead(201).end();
        return;
      case 'DELETE':
        response.writeHead(this.files.delete(path) ? 204 : 404).end();
        return;
      case 'POST':
        this.create(path, Number(request.headers['upload-length']), response);
        return;
      case 'PATCH':
        this.append(path, Number(request.headers['upload-offset']), body, response);
        return;
      default:
        serve(this.files.get(path), request, response);
    }
  }

  private create(path: string, length: number, response: ServerResponse): void {
    const location = `/tus/${this.uploads.size}`;
    this.uploads.set(location, { path, length, body: Buffer.alloc(0) });
    response.writeHead(201, { Location: `${this.url.slice(0, -1)}${location}` }).end();
  }

  private append(location: string, offset: number, bytes: Buffer, response: ServerResponse): void {
    const upload = this.uploads.get(location);
    if (upload === undefined || upload.body.length !== offset) {
      response.writeHead(upload === undefined ? 404 : 409).end();
      return;
    }
    upload.body = Buffer.concat([upload.body, bytes]);
    if (upload.body.length === upload.length) this.files.set(upload.path, upload.body);
    response.writeHead(204, { 'Upload-Offset': upload.body.length }).end();
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client left: what came is all there is.
  }
  return Buffer.concat(chunks);
}

function serve(file: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined || to === undefined) {
    response.writeHead(200, { 'Content-Length': file.length }).end(request.method === 'HEAD' ? undefined : file);
    return;
  }
  const range = `bytes ${from}-${to}/${file.length}`;
  const part = file.subarray(Number(from), Number(to) + 1);
  response.writeHead(206, { 'Content-Range': range, 'Content-Length': part.length }).end(part);
}
