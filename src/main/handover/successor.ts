/**
 * The server that is to follow this one on the same port and store (`SharedPort`). Both talk over the socket that locks
 * the store, which anybody on this host can reach, so a successor proves first that it knows the secret. That the old
 * server is to go it learns by SIGTERM, which the kernel lets nobody send but its own user.
 *
 *   successor                                    predecessor
 *   connects                                     `hello NONCE`
 *   proves that it knows a secret                `welcome`
 *   SIGTERM                                      tells connections to close, and goes on accepting;
 *                                                few are left: `listen`
 *   listens, keeps requests waiting: `listens`   takes no more connections, finishes what writes, lets go of the store
 *   opens the store, takes up what waits         finishes the downloads that it has begun, and ends
 *
 * A successor that fails before it listens leaves the old server as it was.
 */

import type { Socket } from 'node:net';
import type { Doorkeeper } from '../store/store-keeper.ts';
import { isProof, newNonce } from './proof.ts';
import { TextLine } from './text-line.ts';

export const HELLO = 'hello';
export const WELCOME = 'welcome';
export const LISTEN = 'listen';
export const LISTENS = 'listens';

const PROOF_TIMEOUT_MS = 2_000;
/** Of those who have not proved anything yet. */
const MAX_VISITORS = 16;

export class Successor implements Doorkeeper {
  private readonly secrets: () => readonly string[];
  private line: TextLine | null = null;
  private visitors = 0;

  /** `secrets` are those of the server that is to be followed, as they are when somebody comes. */
  constructor(secrets: () => readonly string[]) {
    this.secrets = secrets;
  }

  /** There is at most one, and it has proved that it is one. */
  get isThere(): boolean {
    return this.line?.isOpen === true;
  }

  /** Takes whoever has connected; strangers are sent away. */
  async welcome(socket: Socket): Promise<void> {
    socket.unref();
    if (this.visitors >= MAX_VISITORS || this.isThere) {
      socket.destroy();
      return;
    }
    this.visitors += 1;
    const line = new TextLine(socket);
    const nonce = newNonce();
    line.say(`${HELLO} ${nonce}`);
    const proof = await line.hear(PROOF_TIMEOUT_MS);
    this.visitors -= 1;
    if (proof === null || this.isThere || !isProof(proof, this.secrets(), nonce)) {
      line.end();
      return;
    }
    this.line = line;
    line.say(WELCOME);
  }

  /** Lets it open the port. False: it did not, and is sent away. */
  async takesPort(timeoutMs: number): Promise<boolean> {
    const { line } = this;
    if (line === null) return false;
    line.say(LISTEN);
    if ((await line.hear(timeoutMs)) === LISTENS) return true;
    line.end();
    return false;
  }

  leave(): void {
    this.line?.end();
  }
}
