/**
 * Writing a complete answer in the one order that is right on the wire. All native calls of an answer stand together
 * here, in one cork.
 */

import type { HttpResponse } from 'uWebSockets.js';
import { statusLine } from '../http/status-line.ts';
import type { FieldBlock } from './field-block.ts';

export interface Reply {
  readonly status: number;
  readonly block: FieldBlock;
  /** null: HEAD, 204 and 304 have none. */
  readonly body: string | Uint8Array | null;
  /** Content-Length of an answer without a body; null: none is sent. */
  readonly length: number | null;
}

/**
 * What becomes of the connection. `linger`: the client is told, and whoever writes this reads on, and closes later; not
 * behind an answer without a byte, which is cut. `cut`: closed behind the answer; with unread bytes under way that may
 * destroy the answer before it is read.
 */
export type Closing = 'keep' | 'linger' | 'cut';

/**
 * Writes everything. True: `res` lives, and the connection is still to be closed with `res.close()`, in a later turn and
 * unless it was aborted meanwhile; false: `res` must not be used again.
 */
export function writeReply(res: HttpResponse, reply: Reply, closing: Closing): boolean {
  const { body } = reply;
  if (body === null) return writeHeadOnly(res, reply, closing);
  if (closing === 'linger' && body.length > 0) return writeHeldOpen(res, reply, Buffer.from(body));
  res.cork(() => {
    writeHead(res, reply.status, reply.block, false);
    res.end(body, closing !== 'keep');
  });
  return false;
}

export function writeHead(res: HttpResponse, status: number, block: FieldBlock, closes: boolean): void {
  res.writeStatus(statusLine(status));
  if (block.name !== null) res.writeHeader(block.name, block.value);
  if (closes) res.writeHeader('Connection', 'close');
}

/**
 * An answer that is complete for the client and one byte short for the library, which would serve the next request on
 * the connection otherwise, whatever `Connection` says. The length goes out with the first call, and is judged at each.
 */
function writeHeldOpen(res: HttpResponse, { status, block }: Reply, body: Uint8Array): true {
  const rest = body.length - 1;
  res.cork(() => {
    writeHead(res, status, block, true);
    res.tryEnd(body.subarray(0, rest), body.length);
    res.tryEnd(body.subarray(rest), body.length + 1);
  });
  return true;
}

function writeHeadOnly(res: HttpResponse, { status, block, length }: Reply, closing: Closing): boolean {
  if (closing !== 'keep' && length !== null) {
    // The library cannot close behind a head. One that promises a body is not over for it, and can be closed.
    res.cork(() => {
      writeHead(res, status, block, true);
      res.tryEnd('', Math.max(1, length));
    });
    return true;
  }
  res.cork(() => {
    writeHead(res, status, block, closing !== 'keep');
    // With this form, and no other, length and connection are right.
    if (length !== null) res.writeHeader('Content-Length', String(length));
    res.endWithoutBody();
  });
  return false;
}
