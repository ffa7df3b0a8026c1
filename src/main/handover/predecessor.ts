/** The server that has the store, as the one that is to follow it sees it. The conversation stands in `successor.ts`. */

import { connect } from 'node:net';
import { StartError } from '../start-error.ts';
import { lockAddress } from '../store/instance-lock.ts';
import type { StoreHolder } from '../store/store-keeper.ts';
import { prove } from './proof.ts';
import { HELLO, LISTEN, LISTENS, WELCOME } from './successor.ts';
import { TextLine } from './text-line.ts';

/** A predecessor answers at once, or it is none that can hand over. */
const ANSWER_TIMEOUT_MS = 2_000;

export class Predecessor {
  private readonly line: TextLine;
  private readonly pid: number;

  private constructor(line: TextLine, pid: number) {
    this.line = line;
    this.pid = pid;
  }

  /** Resolves to the reason when whoever holds the store does not hand it over to us. */
  static async find({ identity, pid }: StoreHolder, secrets: readonly string[]): Promise<Predecessor | string> {
    if (pid === null) return 'which cannot be asked to hand it over';
    const line = new TextLine(connect({ path: lockAddress(identity) }));
    const [greeting, nonce = ''] = (await line.hear(ANSWER_TIMEOUT_MS))?.split(' ') ?? [];
    const proof = prove(secrets, nonce);
    if (greeting !== HELLO || proof === null) {
      line.end();
      return 'which does not hand it over: it runs without SharedPort = true, or hands it over to another one';
    }
    line.say(proof);
    if ((await line.hear(ANSWER_TIMEOUT_MS)) === WELCOME) return new Predecessor(line, pid);
    line.end();
    return 'which does not hand it over: it has another Secret (PreviousSecrets may hold its one)';
  }

  /** Asks it to go. Resolves when the port is to be opened. Errors: StartError, when it does not. */
  async ask(): Promise<void> {
    try {
      process.kill(this.pid, 'SIGTERM');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartError(`process ${this.pid} cannot be asked to hand over the store: ${reason}`, { cause: error });
    }
    if ((await this.line.hear(null)) !== LISTEN) {
      throw new StartError(`process ${this.pid} has not handed over its port`);
    }
  }

  /** Says that the port is open; resolves when the store is free. */
  async leaves(): Promise<void> {
    this.line.say(LISTENS);
    await this.line.closed();
  }
}
