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
/** A lane that writes nothing for as long as a test takes. */
const STUCK_MS = 60_000;

/** What the uploads have taken once their chunks have come. */
interface Taken {
  readonly peakBytes: number;
  readonly overloads: number;
}

interface Burst {
  /** Of the chunks of each upload, all of one turn. */
  readonly lengths: readonly number[];
  readonly uploads?: number;
  /** What the lane takes for each piece. */
  readonly writeMs: number;
  /** Of the buffers that there are. */
  readonly sizes?: readonly [number, ...number[]];
  /** Of the largest ones, those that others have. */
  readonly takenBuffers?: number;
}

/** Delivers chunks as the transport does, to one upload after the other. */
async function deliver(burst: Burst): Promise<Taken> {
  const { lengths, writeMs, sizes = [BUFFER_BYTES], takenBuffers = 0, uploads = 1 } = burst;
  const lane = await startSlowLane(writeMs);
  const buffers = new BufferPool({ sizes, maxBytes: BUFFERS * BUFFER_BYTES });
  for (let count = 0; count < takenBuffers; count += 1) buffers.take();
  const client = new LaneClient({ name: 'slow', port: lane.port, buffers });
  const gate = new ReadGate(buffers);
  let overloads = 0;
  let peakBytes = 0;
  const onOverload = () => {
    overloads += 1;
  };
  const transfers = Array.from({ length: uploads }, () => beginUpload({ client, buffers, gate, lengths, onOverload }));
  for (const transfer of transfers) {
    for (const length of lengths) {
      transfer.chunk(new Uint8Array(length), false);
      peakBytes = Math.max(peakBytes, buffers.inUseBytes);
    }
  }
  for (const transfer of transfers) transfer.abort();
  client.close();
  await lane.stop();
  return { peakBytes, overloads };
}

interface UploadParts extends Pick<Burst, 'lengths'> {
  readonly client: LaneClient;
  readonly buffers: BufferPool;
  readonly gate: ReadGate;
  readonly onOverload: () => void;
}

/** An upload that is longer than its chunks. */
function beginUpload({ client, buffers, gate, lengths, onOverload }: UploadParts): UploadTransfer {
  const size = lengths.reduce((sum, length) => sum + length, 1_000 * BUFFER_BYTES);
  const transfer: UploadTransfer = new UploadTransfer({
    lane: client,
    buffers,
    gate,
    reapLanes: () => client.reap(),
    open: (number, piece) => openUpload({ transfer: number, key: 'd/burst.bin', size, piece }),
    bodyBytes: size,
    isKept: false,
    observer: {
      progressed: () => {},
      ended: () => {},
      lost: () => {},
      overloaded: () => {
        onOverload();
        transfer.abort();
      },
      pause: () => {},
      resume: () => {},
    },
  });
  return transfer;
}

function fullBuffers(count: number): readonly number[] {
  return Array.from({ length: count }, () => BUFFER_BYTES);
}

test('takes a burst whole while the lane writes it for longer than a lane may stand still, in a third of the memory', async () => {
  const { peakBytes, overloads } = await deliver({ lengths: fullBuffers(400), writeMs: 8 });
  assert.equal(overloads, 0);
  assert.ok(peakBytes <= FLOODS_AT * BUFFER_BYTES, `${peakBytes} bytes`);
});

test('takes the bytes of many uploads in one turn, and gives lanes something to write while others wait for them', async () => {
  const { peakBytes, overloads } = await deliver({ lengths: [BUFFER_BYTES / 2], uploads: 4 * BUFFERS, writeMs: 2 });
  assert.equal(overloads, 0);
  assert.ok(peakBytes <= FLOODS_AT * BUFFER_BYTES, `${peakBytes} bytes`);
});

test('gives the upload up when the lane stands still and every buffer is in use', async () => {
  const { peakBytes, overloads } = await deliver({ lengths: fullBuffers(2 * BUFFERS), writeMs: STUCK_MS });
  assert.equal(overloads, 1);
  assert.equal(peakBytes, BUFFERS * BUFFER_BYTES);
});

test('keeps the few bytes of a slow client in the smallest buffer that there is', async () => {
  const { peakBytes } = await deliver({ lengths: [1], writeMs: 0, sizes: [16, BUFFER_BYTES] });
  assert.equal(peakBytes, 16);
});

test('takes a large buffer for what is more, and for what follows in the same turn', async () => {
  const sizes = [16, 64, BUFFER_BYTES] as const;
  assert.equal((await deliver({ lengths: [17], writeMs: STUCK_MS, sizes })).peakBytes, BUFFER_BYTES);
  assert.equal((await deliver({ lengths: [10, 10], writeMs: STUCK_MS, sizes })).peakBytes, 16 + BUFFER_BYTES);
});

test('takes the smallest buffer that holds what has come while others have a third of the memory', async () => {
  const sizes = [16, 64, BUFFER_BYTES] as const;
  const { peakBytes } = await deliver({ lengths: [17], writeMs: STUCK_MS, sizes, takenBuffers: FLOODS_AT });
  assert.equal(peakBytes, FLOODS_AT * BUFFER_BYTES + 64);
});
