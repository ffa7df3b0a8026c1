/** The thread of a slow lane. */

import { workerData } from 'node:worker_threads';
import type { FromLane } from '../../src/shared/messages.ts';
import { type PackedToLane, packFromLane, unpackToLane } from '../../src/shared/packed-messages.ts';
import type { SlowLaneOrder } from './slow-lane.ts';

const { port, writeMs } = workerData as SlowLaneOrder;
/** Never changes: only waited on. */
const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

port.on('message', (messages: readonly PackedToLane[]) => {
  for (const message of messages.map(unpackToLane)) {
    if (message.type !== 'upload.open' && message.type !== 'upload.data') continue;
    const { transfer, piece } = message;
    if (piece === null) continue;
    Atomics.wait(sleeper, 0, 0, writeMs);
    const written: FromLane = { type: 'upload.written', transfer, buffer: piece.buffer };
    port.postMessage([packFromLane(written)], [piece.buffer]);
  }
});
