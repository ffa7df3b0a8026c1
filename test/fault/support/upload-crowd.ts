/**
 * Many clients at once for crashes at random: they upload and read back until the server is gone, and remember what
 * they were told. What they were told must be true afterwards.
 */

import { content } from '../../support/paced-transfer.ts';
import { RawConnection, type RawResponse, requestBytes } from '../../support/raw-http.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Connections on which a crowd is judged. */
const JUDGES = 8;
/** Uploads between two that a client reads back. */
const READ_EVERY = 4;

export interface CrowdOptions {
  /** The folder of all its uploads, no other crowd's. */
  readonly folder: string;
  readonly clients: number;
  /** Uploads of all clients together; they stop after these, or when the server is gone. */
  readonly uploads: number;
  /** Size of the upload of that number. */
  readonly sizeOf: (index: number) => number;
}

export class UploadCrowd {
  private readonly options: CrowdOptions;
  private readonly acknowledged = new Set<number>();
  /** Refusals, torn reads, losses and dead slots, one sentence each. */
  private readonly findings: string[] = [];
  private begun = 0;
  private isCrashing = false;
  private isPowerless = false;
  private waiting: { readonly count: number; readonly resolve: () => void } | null = null;

  constructor(options: CrowdOptions) {
    this.options = options;
  }

  get folder(): string {
    return this.options.folder;
  }

  get acknowledgedCount(): number {
    return this.acknowledged.size;
  }

  /** Resolves when all uploads have been answered or cut. */
  async run(server: ServerProcess): Promise<void> {
    await Promise.all(Array.from({ length: this.options.clients }, () => this.serveClient(server)));
    this.waiting?.resolve();
  }

  /** Resolves as soon as so many uploads are acknowledged, or none will be any more. */
  reaches(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = { count, resolve };
      this.wake();
    });
  }

  /**
   * From here on the server may refuse, and nobody begins another upload. Answers that come after a power cut do not
   * count: a machine without power would not have sent them, and while a file system is being shut down, a sync that
   * runs may return without an error (seen on XFS).
   */
  crash(isPowerCut: boolean): void {
    this.isCrashing = true;
    this.isPowerless = isPowerCut;
  }

  /** After a crash and a recovery: nothing acknowledged is lost, nothing is torn, and no slot is dead. */
  async judge(server: ServerProcess): Promise<readonly string[]> {
    const indexes = Array.from({ length: this.begun }, (_, index) => index).values();
    const judges = Array.from({ length: JUDGES }, async () => {
      const connection = await RawConnection.open(server.port);
      for (const index of indexes) await this.judgeOne(server, connection, index);
      connection.drop();
    });
    await Promise.all(judges);
    return this.findings;
  }

  private async serveClient(server: ServerProcess): Promise<void> {
    try {
      const connection = await RawConnection.open(server.port);
      while (!this.isCrashing && this.begun < this.options.uploads) {
        const index = this.begun;
        this.begun += 1;
        await this.uploadOne(server, connection, index);
        if (index % READ_EVERY === 0) await this.readBack(server, connection, Math.floor(index / 2));
      }
      connection.drop();
    } catch (error) {
      // The end of the connection is what the crash looks like from here.
      if (!this.isCrashing) this.findings.push(`before the crash: ${error instanceof Error ? error.message : error}`);
    }
  }

  private async uploadOne(server: ServerProcess, connection: RawConnection, index: number): Promise<void> {
    const { status } = await this.put(server, connection, index);
    if (status === 201 && !this.isPowerless) this.acknowledged.add(index);
    else if (!this.isCrashing) this.findings.push(`PUT ${this.keyOf(index)}: ${status}`);
    this.wake();
  }

  private wake(): void {
    if (this.waiting !== null && this.acknowledged.size >= this.waiting.count) this.waiting.resolve();
  }

  private async readBack(server: ServerProcess, connection: RawConnection, index: number): Promise<void> {
    const mustBeThere = this.acknowledged.has(index);
    const response = await this.get(server, connection, index);
    if (response.status === 200 || response.status === 404) this.compare(index, response, mustBeThere);
    else if (!this.isCrashing) this.findings.push(`GET ${this.keyOf(index)}: ${response.status}`);
  }

  private async judgeOne(server: ServerProcess, connection: RawConnection, index: number): Promise<void> {
    const isAcknowledged = this.acknowledged.has(index);
    const found = await this.get(server, connection, index);
    this.compare(index, found, isAcknowledged);
    if (isAcknowledged) return;
    const { status } = await this.put(server, connection, index);
    const expected = found.status === 404 ? 201 : 409;
    if (status !== expected) this.findings.push(`${this.keyOf(index)} again: ${status} instead of ${expected}`);
  }

  private compare(index: number, { status, body }: RawResponse, mustBeThere: boolean): void {
    const key = this.keyOf(index);
    if (status === 404) {
      if (mustBeThere) this.findings.push(`${key}: acknowledged and lost`);
    } else if (status !== 200) {
      this.findings.push(`GET ${key}: ${status}`);
    } else if (!body.equals(this.bytesOf(index))) {
      this.findings.push(`${key}: torn, ${body.length} bytes`);
    }
  }

  private async put(server: ServerProcess, connection: RawConnection, index: number): Promise<RawResponse> {
    const bytes = this.bytesOf(index);
    await connection.send(requestBytes('PUT', server.signedTarget(this.keyOf(index), bytes.length), {}, bytes));
    return connection.finalResponse();
  }

  private async get(server: ServerProcess, connection: RawConnection, index: number): Promise<RawResponse> {
    const path = server.signedTarget(this.keyOf(index), 0).split('?')[0] ?? '';
    await connection.send(requestBytes('GET', path));
    return connection.finalResponse();
  }

  private keyOf(index: number): string {
    return `${this.folder}/${index}/file.bin`;
  }

  private bytesOf(index: number): Buffer {
    return content(this.keyOf(index), this.options.sizeOf(index));
  }
}
