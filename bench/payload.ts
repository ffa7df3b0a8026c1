/**
 * The bytes that the harness uploads and expects back: an endless repetition of one pseudo-random block, begun at a phase that
 * belongs to the file. The block has a prime length, so that bytes moved by a whole buffer, or of another file, never match.
 */

import { seededRandom } from './random.ts';

/** The largest prime below 2^20. */
export const BLOCK_BYTES = 1_048_573;

/** Makes the block twice in a row: every run of up to `BLOCK_BYTES` bytes is then one slice of it. */
function makeDoubleBlock(): Buffer {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES * 2);
  const random = seededRandom(20_240_229);
  for (let index = 0; index < BLOCK_BYTES; index += 1) block[index] = Math.floor(random() * 256);
  block.copy(block, BLOCK_BYTES, 0, BLOCK_BYTES);
  return block;
}

export class Payload {
  private readonly doubleBlock = makeDoubleBlock();

  /** At most `BLOCK_BYTES` bytes of the content with this phase, from `offset` on. The slice is shared: never write to it. */
  slice(phase: number, offset: number, length: number): Buffer {
    const start = (phase + offset) % BLOCK_BYTES;
    return this.doubleBlock.subarray(start, start + Math.min(length, BLOCK_BYTES));
  }

  /** True when `chunk` is what the content with this phase has at `offset`. */
  matches(phase: number, offset: number, chunk: Uint8Array): boolean {
    for (let done = 0; done < chunk.length; ) {
      const expected = this.slice(phase, offset + done, chunk.length - done);
      if (expected.compare(chunk, done, done + expected.length) !== 0) return false;
      done += expected.length;
    }
    return true;
  }
}

/** The phase of the file with this number, spread over the block. */
export function phaseOf(fileNumber: number): number {
  return (fileNumber * 7919) % BLOCK_BYTES;
}
