/** Sends bytes that are all in memory, as fast as the client takes them. */

import type { AnswerHead, Exchange } from '../http/exchange.ts';

/** Bodies up to this length go out in one piece with their head. */
export const ONE_PIECE_BYTES = 16 * 1024;

/** `pieces` together have the length that `head` announces, and do not change until the answer is out. */
export function streamBytes(exchange: Exchange, head: AnswerHead, pieces: readonly Uint8Array[]): void {
  const [only] = pieces;
  if (only === undefined || (pieces.length === 1 && head.length <= ONE_PIECE_BYTES)) {
    exchange.respond({ status: head.status, fields: head.fields, body: only ?? '' });
    return;
  }
  let index = 0;
  let offset = 0;
  const pump = (): void => {
    for (let piece = pieces[index]; piece !== undefined; piece = pieces[index]) {
      offset += exchange.offer(offset === 0 ? piece : piece.subarray(offset));
      if (offset < piece.length) return;
      index += 1;
      offset = 0;
    }
  };
  exchange.beginStream(head, pump);
  pump();
}
