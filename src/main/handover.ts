/**
 * The store goes from a server to its successor on the same port (`SharedPort`). Both talk over the socket that locks the
 * store, which anybody on this host can reach: what is said there only times things. That the old server is to go it
 * learns by SIGTERM, which the kernel lets nobody send but its own user.
 *
 *   successor                                  predecessor
 *   connects                                   `hello`: it can hand over
 *   SIGTERM                                    tells connections to close, and goes on accepting
 *                                              `listen`: few are left
 *   listens, keeps requests waiting; `listens` takes no more connections, finishes what writes, lets go of the store
 *   opens the store, takes up what waits       finishes the downloads that it has begun, and ends
 *
 * A successor that fails before it listens leaves the old server as it was.
 */

import { connect, type Socket } from 'node:net';
import type { StoreIdentity } from '../shared/worker-jobs.ts';
import { lockAddress } from './instance-lock.ts';
import { StartError } from './start-error.ts';

const HELLO = 'hello\n';
const LISTEN = 'listen\n';
const LISTENS = 'listens\n';
/** A predecessor answers at once, or it is none that can hand over. */
const HELLO_TIMEOUT_MS = 2_000;

/** A conversation of whole words, one awaited at a time. */
class Line {
  private readonly socket: Socket;
  private received = '';
  private isEnded = false;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      // Nobody has more to say than this.
      this.received = (this.received + text).slice(-LISTENS.length);
      this.wake();
    });
    // An error is an end like any other; `close` follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.isEnded = true;
      this.wake();
    });
  }

  get isOpen(): boolean {
    return !this.isEnded;
  }

  say(word: string): void {
    this.socket.write(word);
  }

  /** True when the word has come; false when the other side has gone, or after the time; null: there is none. */
  async hears(word: string, timeoutMs: number | null): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = timeoutMs !== null;
      this.wake();
    }, timeoutMs ?? 0);
    while (!this.received.endsWith(word) && !this.isEnded && !isLate) await this.change();
    clearTimeout(timer);
    return this.received.endsWith(word);
  }

  async closed(): Promise<void> {
    while (!this.isEnded) await this.change();
  }

  end(): void {
    this.socket.destroy();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** The old server, as its successor sees it. */
export class Predecessor {
  private readonly line: Line;
  private readonly pid: number;

  private constructor(line: Line, pid: number) {
    this.line = line;
    this.pid = pid;
  }

  /** null: whoever holds the store does not hand it over. */
  static async find(identity: StoreIdentity, pid: number): Promise<Predecessor | null> {
    const line = new Line(connect({ path: lockAddress(identity) }));
    if (await line.hears(HELLO, HELLO_TIMEOUT_MS)) return new Predecessor(line, pid);
    line.end();
    return null;
  }

  /** Asks it to go. Resolves when the port is to be opened. Errors: StartError, when it does not. */
  async ask(): Promise<void> {
    try {
      process.kill(this.pid, 'SIGTERM');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartError(`process ${this.pid} cannot be asked to hand over the store: ${reason}`, { cause: error });
    }
    if (!(await this.line.hears(LISTEN, null)))
      throw new StartError(`process ${this.pid} has not handed over its port`);
  }

  /** Says that the port is open; resolves when the store is free. */
  async leaves(): Promise<void> {
    this.line.say(LISTENS);
    await this.line.closed();
  }
}

/** The server that is to follow, as the old one sees it. There is at most one; others are turned away. */
export class Successor {
  private line: Line | null = null;

  get isThere(): boolean {
    return this.line?.isOpen === true;
  }

  welcome(socket: Socket): void {
    if (this.isThere) {
      socket.destroy();
      return;
    }
    socket.unref();
    this.line = new Line(socket);
    this.line.say(HELLO);
  }

  /** Lets it open the port. False: it did not, and is sent away. */
  async takesPort(timeoutMs: number): Promise<boolean> {
    this.line?.say(LISTEN);
    const isTaken = (await this.line?.hears(LISTENS, timeoutMs)) === true;
    if (!isTaken) this.leave();
    return isTaken;
  }

  leave(): void {
    this.line?.end();
  }
}
