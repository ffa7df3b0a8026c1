/** A burst that fills the socket faster than the lane writes, all in one turn of the event loop: memory, and nobody is given up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LaneClient } from '../../src/main/lanes/lane-client.ts';
import { ReadGate } from '../../src/main/upload/read-gate.ts';
import { UploadTransfer } from '../../src/main/upload/upload-transfer.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import { openUpload } from '../support/lane-fixture.ts';
import { startSlowLane } from '../support/slow-lane.ts';

const BUFFER_BYTES = 4096;
const BUFFERS = 96;
/** A burst waits when it has filled a third of the buffers. */
const FLOODS_AT = 32;

/** Delivers so many buffers full in this turn, as the transport does. */
async function deliver(count: number, writeMs: number): Promise<{ peakBytes: number; overloads: number }> {
  const lane = await startSlowLane(writeMs);
  const buffers = new BufferPool({ sizes: [BUFFER_BYTES], maxBytes: BUFFERS * BUFFER_BYTES });
  const client = new LaneClient({ name: 'slow', port: lane.port, buffers });
  const size = (count + 1) * BUFFER_BYTES;
  let overloads = 0;
  let peakBytes = 0;
  const transfer: UploadTransfer = new UploadTransfer({
    lane: client,
    buffers,
    gate: new ReadGate(buffers),
    reapLanes: () => client.reap(),
    open: (number, piece) => openUpload({ transfer: number, key: 'd/burst.bin', size, piece }),
    bodyBytes: size,
    isKept: false,
    observer: {
      progressed: () => {},
      ended: () => {},
      lost: () => {},
      overloaded: () => {
        overloads += 1;
        transfer.abort();
      },
      pause: () => {},
      resume: () => {},
    },
  });
  const chunk = new Uint8Array(BUFFER_BYTES);
  for (let index = 0; index < count; index += 1) {
    transfer.chunk(chunk, false);
    peakBytes = Math.max(peakBytes, buffers.inUseBytes);
  }
  transfer.abort();
  client.close();
  await lane.stop();
  return { peakBytes, overloads };
}

test('takes a burst whole while the lane writes it for longer than a lane may stand still, in a third of the memory', async () => {
  const { peakBytes, overloads } = await deliver(400, 8);
  assert.equal(overloads, 0);
  assert.ok(peakBytes <= FLOODS_AT * BUFFER_BYTES, `${peakBytes} bytes`);
});

test('gives the upload up when the lane stands still and every buffer is in use', async () => {
  const { peakBytes, overloads } = await deliver(2 * BUFFERS, 60_000);
  assert.equal(overloads, 1);
  assert.equal(peakBytes, BUFFERS * BUFFER_BYTES);
});
