/** Small hot files in memory: kept when many ask, believed for a moment and while nothing changed, and bounded. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyCache, type CachedFile } from '../../src/main/download/body-cache.ts';
import { represent } from '../../src/main/download/representation.ts';
import { ContentGenerations } from '../../src/shared/content-generations.ts';
import type { FileKey } from '../../src/shared/files.ts';

const LIMITS = { maxBytes: 20_000, maxBodyBytes: 5_000, freshMs: 1_000, readsToKeep: 3 };

const keyOf = (name: string): FileKey => name as FileKey;

const generations = new ContentGenerations(ContentGenerations.allocate());

function fileOf(text: string, key = 'a'): CachedFile {
  const bytes = Buffer.from(text);
  const info = { size: bytes.length, modifiedMs: 0, validator: text.slice(0, 8), type: null, sha256: null };
  return {
    representation: represent(keyOf('a'), info, { hasRanges: true, isReplaceable: false }),
    fileId: '',
    bytes,
    stamp: generations.stamp(keyOf(key)),
  };
}

/** Reads a file so often that it is kept. */
function heat(cache: BodyCache, name: string, text: string, nowMs: number): void {
  for (let read = 0; read < LIMITS.readsToKeep; read += 1) cache.offer(keyOf(name), fileOf(text, name), nowMs);
}

function textIn(cache: BodyCache, name: string, nowMs: number): string | null {
  const found = cache.get(keyOf(name), nowMs);
  return found === null ? null : Buffer.from(found.bytes).toString();
}

test('keeps a file from the third read within a second on', () => {
  const cache = new BodyCache(LIMITS, generations);
  cache.offer(keyOf('a'), fileOf('text'), 0);
  cache.offer(keyOf('a'), fileOf('text'), 10);
  assert.equal(textIn(cache, 'a', 10), null);
  cache.offer(keyOf('a'), fileOf('text'), 20);
  assert.equal(textIn(cache, 'a', 20), 'text');
});

test('does not keep a file that is read now and then', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 600) cache.offer(keyOf('a'), fileOf('text'), nowMs);
  assert.equal(textIn(cache, 'a', 9_600), null);
});

test('an entry answers for a second after it was read, and again after it is read anew', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'old', 0);
  assert.equal(textIn(cache, 'a', 999), 'old');
  assert.equal(textIn(cache, 'a', 1_000), null);
  cache.offer(keyOf('a'), fileOf('new'), 1_500);
  assert.equal(textIn(cache, 'a', 1_500), 'new');
});

test('what has changed is not answered any more, and is kept again once it was read anew', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  heat(cache, 'b', 'other', 0);
  generations.changed(keyOf('a'));
  assert.equal(textIn(cache, 'a', 0), null);
  assert.equal(textIn(cache, 'b', 0), 'other');
  cache.offer(keyOf('a'), fileOf('new'), 0);
  assert.equal(textIn(cache, 'a', 0), 'new');
});

test('does not answer what was read before a change and arrives after it', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  const readBefore = fileOf('text');
  generations.changed(keyOf('a'));
  cache.offer(keyOf('a'), readBefore, 1);
  assert.equal(textIn(cache, 'a', 1), null);
});

test('keeps bytes of its own: the buffer they came in goes on', () => {
  const cache = new BodyCache(LIMITS, generations);
  const file = fileOf('text');
  for (let read = 0; read < LIMITS.readsToKeep; read += 1) cache.offer(keyOf('a'), file, 0);
  file.bytes.fill(0);
  assert.equal(textIn(cache, 'a', 0), 'text');
});

test('keeps no large body, and no more in all than its limit: the oldest goes first', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'large', 'x'.repeat(5_001), 0);
  assert.equal(textIn(cache, 'large', 0), null);
  for (const name of ['a', 'b', 'c', 'd']) heat(cache, name, name.repeat(4_000), 0);
  const kept = ['a', 'b', 'c', 'd'].filter((name) => textIn(cache, name, 0) !== null);
  assert.deepEqual(kept, ['b', 'c', 'd']);
  heat(cache, 'b', 'b'.repeat(4_000), 1);
  heat(cache, 'e', 'e'.repeat(4_000), 1);
  assert.equal(textIn(cache, 'c', 1), null);
  assert.equal(textIn(cache, 'b', 1), 'b'.repeat(4_000));
});

test('lets go of what nobody reads', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  cache.trim(500);
  assert.equal(textIn(cache, 'a', 500), 'text');
  cache.trim(1_000);
  heat(cache, 'b', 'b'.repeat(4_999), 1_000);
  // Had the count gone wrong with the entry that was let go, this would push it out.
  heat(cache, 'c', 'c'.repeat(4_999), 1_000);
  assert.equal(textIn(cache, 'b', 1_000), 'b'.repeat(4_999));
});
