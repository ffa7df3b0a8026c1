/**
 * Many clients whose server crashes again and again: each uploads one file after the other, asks where to go on whenever
 * the connection was lost, and reads back what it has finished. Half of them speak tus, half send parts by Content-Range.
 */

import { rmSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { content } from '../../support/paced-transfer.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const PIECE_BYTES = 96 * 1024;
/** A server that lives and says nothing for so long hangs. */
const SILENCE_MS = 60_000;
const agent = new Agent({ keepAlive: true });
const TUS = { 'Tus-Resumable': '1.0.0' };
const STREAM = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };

type Fields = Readonly<Record<string, string>>;

/** The connection was lost, or the server is no more: ask again. */
class Lost extends Error {}

/** One file on its way. */
interface Upload {
  readonly key: string;
  readonly bytes: Buffer<ArrayBuffer>;
  /** Of tus, once it was created. */
  url: string | null;
  /** So many bytes were acknowledged. */
  told: number;
}

export class ResumingCrowd {
  readonly findings: string[] = [];
  finishedUploads = 0;
  /** How often one was gone on with above 0. */
  resumptions = 0;
  private readonly clients: number;
  private readonly sizeOf: (index: number) => number;
  private server: ServerProcess | null = null;
  private awake: (() => void)[] = [];
  private begun = 0;
  private isClosing = false;

  constructor(options: { readonly clients: number; readonly sizeOf: (index: number) => number }) {
    this.clients = options.clients;
    this.sizeOf = options.sizeOf;
  }

  /** Resolves when all clients have ended. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.clients }, (_, client) => this.serveClient(client)));
  }

  /** Clients go on with this server. */
  use(server: ServerProcess): void {
    this.server = server;
    for (const wake of this.awake.splice(0)) wake();
  }

  /** The server is about to crash. */
  loseServer(): void {
    this.server = null;
  }

  /** Uploads that are under way are the last ones. */
  close(): void {
    this.isClosing = true;
  }

  private async serveClient(client: number): Promise<void> {
    while (!this.isClosing) {
      const index = this.begun;
      this.begun += 1;
      const key = `client-${client}/${index}/file.bin`;
      const upload: Upload = { key, bytes: content(key, this.sizeOf(index)), url: null, told: 0 };
      const goOn = client % 2 === 0 ? tusStep : rangeStep;
      await this.complete(upload, goOn);
    }
  }

  private async complete(upload: Upload, goOn: Step): Promise<void> {
    for (;;) {
      const server = await this.present();
      try {
        while (!(await goOn(server, upload, this))) {}
        await this.readBack(server, upload);
        this.finishedUploads += 1;
        rmSync(dirname(join(server.storeDir, upload.key)), { recursive: true });
        return;
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (upload.told > 0) this.resumptions += 1;
      }
    }
  }

  private async present(): Promise<ServerProcess> {
    while (this.server === null) await new Promise<void>((resolve) => this.awake.push(resolve));
    return this.server;
  }

  private async readBack(server: ServerProcess, { key, bytes }: Upload): Promise<void> {
    const path = server.signedTarget(key, 0).split('?')[0] ?? '';
    const { status, body } = await request(server.origin + path, 'GET', {});
    if (status !== 200 || !body.equals(bytes)) this.findings.push(`${key}: ${status}, ${body.length} bytes`);
  }

  /** The offset that the server says, which is never less than what it has acknowledged. */
  check({ key, told, bytes }: Upload, offset: number): void {
    if (offset >= told && offset <= bytes.length) return;
    this.findings.push(`${key}: offset ${offset}, but ${told} bytes were acknowledged`);
  }
}

/** One request or two. Resolves to whether the upload is complete. */
type Step = (server: ServerProcess, upload: Upload, crowd: ResumingCrowd) => Promise<boolean>;

const tusStep: Step = async (server, upload, crowd) => {
  const { key, bytes } = upload;
  if (upload.url === null) {
    const target = server.origin + server.signedTarget(key, bytes.length);
    const created = await request(target, 'POST', { ...TUS, 'Upload-Length': String(bytes.length) });
    if (created.status !== 201) crowd.findings.push(`POST ${key}: ${created.status}`);
    upload.url = created.fields.location ?? null;
    return false;
  }
  const url = server.origin + upload.url;
  const head = await request(url, 'HEAD', TUS);
  const offset = Number(head.fields['upload-offset'] ?? Number.NaN);
  if (head.status !== 200) crowd.findings.push(`HEAD ${key}: ${head.status}`);
  crowd.check(upload, offset);
  if (offset === bytes.length || head.status !== 200) return true;
  const piece = bytes.subarray(offset, offset + PIECE_BYTES);
  const { status } = await request(url, 'PATCH', { ...STREAM, 'Upload-Offset': String(offset) }, piece);
  if (status !== 204) crowd.findings.push(`PATCH ${key}: ${status}`);
  upload.told = offset + piece.length;
  return upload.told === bytes.length;
};

const rangeStep: Step = async (server, upload, crowd) => {
  const { key, bytes } = upload;
  const target = server.origin + server.signedTarget(key, bytes.length);
  const asked = await request(target, 'PUT', { 'Content-Range': `bytes */${bytes.length}` });
  const offset = asked.status === 200 ? bytes.length : endOf(asked.fields['range']);
  if (asked.status !== 200 && asked.status !== 308) crowd.findings.push(`query ${key}: ${asked.status}`);
  crowd.check(upload, offset);
  if (offset === bytes.length) return true;
  const piece = bytes.subarray(offset, offset + PIECE_BYTES);
  const range = `bytes ${offset}-${offset + piece.length - 1}/${bytes.length}`;
  const { status } = await request(target, 'PUT', { 'Content-Range': range }, piece);
  upload.told = offset + piece.length;
  const isComplete = upload.told === bytes.length;
  if (status !== (isComplete ? 201 : 308)) crowd.findings.push(`PUT ${range} ${key}: ${status}`);
  return isComplete;
};

/** What follows `bytes=0-`, and one more; 0 without a range. */
function endOf(range: string | undefined): number {
  const last = /^bytes=0-(\d+)$/.exec(range ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

interface Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Rejects with `Lost` when the connection ends before the answer does. node:http, since `fetch` of Node 20 never settles
 * when its process's first connection ends while its parser is being compiled.
 */
function request(url: string, method: string, headers: Fields, body = Buffer.alloc(0)): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lose = (cause: Error) => reject(new Lost('no answer', { cause }));
    const outgoing = httpRequest(url, { method, agent, headers: { ...headers, 'Content-Length': body.length } });
    outgoing.setTimeout(SILENCE_MS, () => {
      reject(new Error(`${method} ${url}: silent for ${SILENCE_MS} ms`));
      outgoing.destroy();
    });
    outgoing.once('error', lose);
    outgoing.once('response', (response) => {
      buffer(response).then(
        (received) => resolve({ status: response.statusCode ?? 0, fields: response.headers, body: received }),
        lose,
      );
    });
    outgoing.end(body);
  });
}
