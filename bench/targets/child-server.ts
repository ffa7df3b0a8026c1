/** A server that the harness starts itself: spawned in its own process group, ready when its port answers, killed for certain. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { killGroup, type Leftovers } from '../leftovers.ts';
import { processTree } from './process-usage.ts';
import { TargetError } from './target.ts';

const delay = promisify(setTimeout);

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 15;
const KEPT_OUTPUT = 4096;

/** A TCP port on loopback that nobody listens on right now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TargetError('no free port');
  return address.port;
}

export class ChildServer {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private output = '';

  constructor(settings: {
    readonly command: string;
    readonly args: readonly string[];
    readonly cwd: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly leftovers: Leftovers;
  }) {
    this.child = spawn(settings.command, [...settings.args], {
      cwd: settings.cwd,
      env: settings.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    settings.leftovers.watch(this.child);
    this.exited = once(this.child, 'exit').catch((error: unknown) => this.keep(Buffer.from(String(error))));
    this.child.stdout?.on('data', (bytes: Buffer) => this.keep(bytes));
    this.child.stderr?.on('data', (bytes: Buffer) => this.keep(bytes));
  }

  /** Waits until `port` accepts a connection. */
  async ready(port: number): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await accepts(port))) {
      if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) {
        throw new TargetError(`it ended instead of listening: ${this.output.trim() || 'no output'}`);
      }
      if (Date.now() > deadline) {
        await this.stop();
        throw new TargetError(`port ${port} does not answer after ${START_LIMIT_MS / 1e3} s: ${this.output.trim()}`);
      }
      await delay(POLL_MS);
    }
  }

  pids(): number[] {
    return this.child.pid === undefined ? [] : processTree(this.child.pid);
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      killGroup(this.child, 'SIGTERM');
      const timer = setTimeout(() => killGroup(this.child, 'SIGKILL'), STOP_LIMIT_MS);
      await this.exited;
      clearTimeout(timer);
    }
    killGroup(this.child, 'SIGKILL');
  }

  private keep(bytes: Buffer): void {
    this.output = (this.output + bytes.toString()).slice(-KEPT_OUTPUT);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not listening yet.
    return false;
  } finally {
    socket.destroy();
  }
}
