/** An upload as a lane sees it, of either kind, and what a lane gives to it. */

import type { BodyPiece, FromLane, Secrets } from '../shared/messages.ts';
import type { Storage } from './storage/storage.ts';
import type { Turns } from './turns.ts';

export interface ReceiveContext {
  readonly storage: Storage;
  readonly secrets: Secrets;
  /** In which plain uploads that were cut are kept. */
  readonly keeping: Turns;
  /** Sends to main; moves the message's buffer. */
  readonly send: (message: FromLane) => void;
  /** The transfer is over: forget it. */
  readonly onEnd: (transfer: number) => void;
}

export interface LaneUpload {
  /** Takes one piece; its buffer goes back. */
  receive(piece: BodyPiece): void;
  /** The client is gone, or the lane ends. Nothing is received any more; what runs already goes on. */
  abort(): void;
}
