/** An honest reader on a slow network as a process of its own (slow_reader.py). */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { pathOf } from '../../support/paced-transfer.ts';
import { projectRoot } from '../../support/project-root.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const SCRIPT = join(projectRoot, 'test/attacks/support/slow_reader.py');

export interface SlowReaderOrder {
  readonly server: ServerProcess;
  readonly key: string;
  /** Loopback address that it comes from. */
  readonly address: string;
  readonly bytesPerSecond: number;
}

/** What it got. */
export interface ReadBody {
  readonly length: number;
  readonly sha256: string;
  /** From the end of the head to that of the body. */
  readonly seconds: number;
}

export class SlowReader {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterableIterator<string>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.child = child;
    this.lines = lines[Symbol.asyncIterator]();
  }

  /** Asks for the file; resolves when the head of the answer has come. `prefix` is put in front of its command line. */
  static async start(
    { server, key, address, bytesPerSecond }: SlowReaderOrder,
    prefix: readonly string[] = [],
  ): Promise<SlowReader> {
    const [command = '', ...args] = [...prefix, '/usr/bin/python3', SCRIPT];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('the reader has no output');
    const reader = new SlowReader(child, createInterface(child.stdout));
    const request = `GET ${pathOf(server, key)} HTTP/1.1\r\nHost: slow\r\n\r\n`;
    child.stdin?.write(`${JSON.stringify({ port: server.port, address, request, bytesPerSecond })}\n`);
    const { head } = (await reader.next()) as { readonly head: string };
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head);
    return reader;
  }

  /** From now on it takes everything as it comes. */
  release(): void {
    this.child.stdin?.end();
  }

  /** Everything has come, and the connection was closed by the server. */
  async end(): Promise<ReadBody> {
    return (await this.next()) as ReadBody;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async next(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the reader ended before its time');
    return JSON.parse(value);
  }
}
