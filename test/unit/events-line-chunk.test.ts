/** Lines that a target took in part: nothing is torn, nothing is counted twice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineChunk } from '../../src/main/events/line-chunk.ts';

function chunkOf(...lines: readonly string[]): LineChunk {
  const chunk = new LineChunk(100);
  for (const line of lines) assert.equal(chunk.add(line), true);
  return chunk;
}

test('takes lines up to its capacity, never a part of one', () => {
  const chunk = new LineChunk(5);
  assert.equal(chunk.add('ab\n'), true);
  assert.equal(chunk.add('cd\n'), false);
  assert.equal(chunk.rest.toString(), 'ab\n');
});

test('goes back to the beginning of a line that was written in part', () => {
  const chunk = chunkOf('one\n', 'two\n', 'three\n');
  chunk.advance(6);
  chunk.rewindToLine();
  assert.equal(chunk.rest.toString(), 'two\nthree\n');
  chunk.advance(4);
  chunk.rewindToLine();
  assert.equal(chunk.rest.toString(), 'three\n');
  chunk.advance(2);
  chunk.rewindToLine();
  assert.equal(chunk.rest.toString(), 'three\n');
});

test('gives up whole lines and keeps the end of one that was written in part', () => {
  const chunk = chunkOf('one\n', 'two\n', 'three\n');
  chunk.advance(6);
  assert.equal(chunk.wholeLines, 1);
  assert.equal(chunk.dropWholeLines(), 1);
  assert.equal(chunk.rest.toString(), 'o\n');
});

test('gives up everything when no line was written in part', () => {
  const chunk = chunkOf('one\n', 'two\n', 'three\n');
  chunk.advance(4);
  assert.equal(chunk.dropWholeLines(), 2);
  assert.equal(chunk.isWritten, true);
});

test('can be filled again', () => {
  const chunk = chunkOf('one\n');
  chunk.advance(4);
  chunk.clear();
  assert.equal(chunk.add('two\n'), true);
  assert.equal(chunk.rest.toString(), 'two\n');
});
