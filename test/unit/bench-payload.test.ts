/** The bytes that the harness uploads: what tells a right answer from a wrong one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContentCheck } from '../../bench/load/content-check.ts';
import { payloadContent } from '../../bench/load/exchange.ts';
import { BLOCK_BYTES, Payload, phaseOf } from '../../bench/payload.ts';

const payload = new Payload();

/** `length` bytes of the content with a phase, from an offset on. */
function content(phase: number, offset: number, length: number): Buffer {
  const pieces: Buffer[] = [];
  for (let done = 0; done < length; ) {
    const piece = payload.slice(phase, offset + done, length - done);
    pieces.push(piece);
    done += piece.length;
  }
  return Buffer.concat(pieces);
}

test('a slice is the same whether it is cut out of the whole or asked for alone', () => {
  const whole = content(5, 0, BLOCK_BYTES * 2 + 1000);
  for (const [offset, length] of [
    [0, 10],
    [BLOCK_BYTES - 3, 10],
    [BLOCK_BYTES, BLOCK_BYTES],
    [BLOCK_BYTES * 2 - 1, 1001],
  ] as const) {
    assert.ok(whole.subarray(offset, offset + length).equals(content(5, offset, length)));
    assert.ok(payload.matches(5, offset, whole.subarray(offset, offset + length)));
  }
});

test('bytes of another place or another file never match, not even moved by whole buffers', () => {
  const bytes = content(phaseOf(1), 0, 4096);
  assert.ok(payload.matches(phaseOf(1), 0, bytes));
  assert.ok(!payload.matches(phaseOf(2), 0, bytes));
  for (const moved of [1, 512, 4096, 65_536, 524_288, 1_048_576]) {
    assert.ok(!payload.matches(phaseOf(1), moved, bytes), String(moved));
  }
  const changed = Buffer.from(bytes);
  changed[4095] = (changed[4095] ?? 0) ^ 1;
  assert.ok(!payload.matches(phaseOf(1), 0, changed));
});

test('a body is right only with the right bytes and the right length', () => {
  const right = content(9, 100, 5000);
  const verdictOf = (...chunks: Buffer[]): string | null => {
    const check = new ContentCheck(payloadContent(payload, 9, 100, 5000));
    for (const chunk of chunks) check.take(chunk);
    return check.verdict();
  };
  assert.equal(verdictOf(right.subarray(0, 1), right.subarray(1)), null);
  assert.equal(verdictOf(right.subarray(0, 4999)), 'wrong length');
  assert.equal(verdictOf(right, right.subarray(0, 1)), 'wrong length');
  assert.equal(verdictOf(right.subarray(1), right.subarray(0, 1)), 'wrong content');
  assert.equal(verdictOf(), 'wrong length');
});
