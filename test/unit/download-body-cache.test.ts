/** Hot files in memory: kept when many ask, believed for a moment and while nothing changed, and bounded. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyCache } from '../../src/main/download/body-cache.ts';
import type { SeenFile } from '../../src/main/download/cached-file.ts';
import { represent } from '../../src/main/download/representation.ts';
import { ContentGenerations } from '../../src/shared/content-generations.ts';
import type { FileKey } from '../../src/shared/files.ts';

const LIMITS = { maxBytes: 400_000, maxBodyBytes: 100_000, freshMs: 1_000, readsToKeep: 3 };
/** Four of them fit, with what an entry costs besides. */
const LARGE = 90_000;

const keyOf = (name: string): FileKey => name as FileKey;

const generations = new ContentGenerations(ContentGenerations.allocate());

function seen(name: string, text: string): SeenFile {
  const info = { size: text.length, modifiedMs: 0, validator: text.slice(0, 8), type: null, sha256: null };
  const representation = represent(keyOf(name), info, { hasRanges: true, isReplaceable: false });
  return { representation, fileId: '', stamp: generations.stamp(keyOf(name)) };
}

/** Counts reads by way of a lane, and brings the body into memory when the cache wants it. */
function heat(cache: BodyCache, name: string, text: string, nowMs: number, reads = LIMITS.readsToKeep): boolean {
  for (let read = 0; read < reads; read += 1) cache.countRead(keyOf(name), text.length, nowMs);
  const place = cache.reserve(keyOf(name), nowMs);
  if (place === null) return false;
  assert.equal(place.bytes, text.length);
  cache.keep(place, new Uint8Array(Buffer.from(text)), seen(name, text), nowMs);
  return true;
}

function textIn(cache: BodyCache, name: string, nowMs: number): string | null {
  const found = cache.get(keyOf(name), nowMs);
  return found === null ? null : Buffer.from(found.bytes).toString();
}

function renew(cache: BodyCache, name: string, text: string, nowMs: number): void {
  assert.ok(cache.isToBeRenewed(keyOf(name)));
  cache.renew(keyOf(name), seen(name, text), nowMs);
}

test('wants a file from the third read within a second on', () => {
  const cache = new BodyCache(LIMITS, generations);
  assert.equal(heat(cache, 'a', 'text', 0, 2), false);
  assert.equal(textIn(cache, 'a', 0), null);
  assert.equal(heat(cache, 'a', 'text', 999, 1), true);
  assert.equal(textIn(cache, 'a', 999), 'text');
});

test('does not want a file that is read now and then', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 600) assert.equal(heat(cache, 'a', 'text', nowMs, 1), false);
});

test('an entry answers for a second after it was read, and again when its file has been looked at', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  assert.equal(textIn(cache, 'a', 999), 'text');
  assert.equal(textIn(cache, 'a', 1_000), null);
  renew(cache, 'a', 'text', 1_100);
  assert.equal(textIn(cache, 'a', 2_099), 'text');
  assert.equal(textIn(cache, 'a', 2_100), null);
});

test('an entry is gone when its file was found changed, or was not found', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (const found of [seen('a', 'new text'), null]) {
    heat(cache, 'a', 'text', 0);
    cache.renew(keyOf('a'), found, 1_000);
    assert.equal(textIn(cache, 'a', 1_000), null);
    assert.equal(cache.isToBeRenewed(keyOf('a')), false);
    assert.equal(cache.heldBytes, 0);
  }
});

test('what has changed is not answered any more, nor renewed', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  heat(cache, 'b', 'other', 0);
  generations.changed(keyOf('a'));
  assert.equal(textIn(cache, 'a', 0), null);
  assert.equal(textIn(cache, 'b', 0), 'other');
  assert.equal(cache.isToBeRenewed(keyOf('a')), false);
  heat(cache, 'a', 'new', 0);
  assert.equal(textIn(cache, 'a', 0), 'new');
});

test('does not answer what was read before a change and arrives after it', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (let read = 0; read < LIMITS.readsToKeep; read += 1) cache.countRead(keyOf('a'), 4, 0);
  const place = cache.reserve(keyOf('a'), 0);
  assert.ok(place !== null);
  const before = seen('a', 'text');
  generations.changed(keyOf('a'));
  cache.keep(place, new Uint8Array(Buffer.from('text')), before, 1);
  assert.equal(textIn(cache, 'a', 1), null);
});

test('what is looked at again is judged by what the first look saw, when a change came between', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  const before = seen('a', 'text');
  generations.changed(keyOf('a'));
  cache.renew(keyOf('a'), before, 1_000);
  assert.equal(textIn(cache, 'a', 1_000), null);
});

test('keeps no body above its limit', () => {
  const cache = new BodyCache(LIMITS, generations);
  assert.equal(heat(cache, 'a', 'x'.repeat(LIMITS.maxBodyBytes + 1), 0), false);
  assert.equal(heat(cache, 'b', 'x'.repeat(LIMITS.maxBodyBytes), 0), true);
});

test('files that are read alike do not push each other out: a scan leaves what is there', () => {
  const cache = new BodyCache(LIMITS, generations);
  const wanted = ['a', 'b', 'c', 'd', 'e', 'f'].filter((name) => heat(cache, name, name.repeat(LARGE), 0));
  assert.deepEqual(wanted, ['a', 'b', 'c', 'd']);
});

test('who is read twice as often takes the place of another, and no held one', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (const name of ['a', 'b', 'c', 'd']) heat(cache, name, name.repeat(LARGE), 0);
  for (let read = 0; read < 2 * LIMITS.readsToKeep; read += 1) cache.get(keyOf('b'), 10);
  cache.get(keyOf('a'), 10)?.hold();
  assert.equal(heat(cache, 'e', 'e'.repeat(LARGE), 10, 2 * LIMITS.readsToKeep), true);
  const left = ['a', 'b', 'c', 'd', 'e'].filter((name) => textIn(cache, name, 10) !== null);
  assert.deepEqual(left, ['a', 'b', 'd', 'e']);
});

test('a small body needs fewer reads than a large one to take its place', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (const name of ['a', 'b', 'c', 'd']) heat(cache, name, name.repeat(LARGE), 0);
  const small = 's'.repeat(30_000);
  assert.equal(heat(cache, 's', small, 10), false);
  assert.equal(heat(cache, 's', small, 10, 1), true, 'four reads');
});

test('who has ceased to answer and is asked for no more gives way to anybody', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (const name of ['a', 'b', 'c', 'd']) heat(cache, name, name.repeat(LARGE), 0);
  assert.equal(heat(cache, 'e', 'e'.repeat(LARGE), 1_249), false);
  assert.equal(heat(cache, 'e', 'e'.repeat(LARGE), 1_250, 1), true);
});

test('memory counts until the last answer has ended, whatever became of the entry', () => {
  const cache = new BodyCache(LIMITS, generations);
  const readers = ['a', 'b', 'c', 'd'].map((name) => {
    heat(cache, name, name.repeat(LARGE), 0);
    const file = cache.get(keyOf(name), 0);
    assert.ok(file !== null);
    file.hold();
    return file;
  });
  for (const name of ['a', 'b', 'c', 'd']) generations.changed(keyOf(name));
  const { heldBytes } = cache;
  for (const name of ['a', 'b', 'c', 'd']) assert.equal(textIn(cache, name, 1), null);
  for (const name of ['a', 'b', 'c', 'd']) cache.isToBeRenewed(keyOf(name));
  assert.equal(cache.heldBytes, heldBytes);
  assert.equal(heat(cache, 'e', 'e'.repeat(LARGE), 2, 100), false, 'no room for anybody else');
  assert.ok(readers[0]?.bytes.every((byte) => byte === 0x61));
  for (const file of readers) file.release();
  assert.equal(cache.heldBytes, 0);
  assert.equal(readers[0]?.bytes.length, 0, 'freed at once');
});

test('a body that is held by several is freed by the last of them alone', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'a'.repeat(LARGE), 0);
  const file = cache.get(keyOf('a'), 0);
  assert.ok(file !== null);
  file.hold();
  file.hold();
  cache.trim(10_000);
  file.release();
  assert.equal(file.bytes.length, LARGE);
  file.release();
  assert.deepEqual([file.bytes.length, cache.heldBytes], [0, 0]);
});

test('memory that was reserved for nothing can be had again', () => {
  const cache = new BodyCache(LIMITS, generations);
  for (let round = 0; round < 10; round += 1) {
    for (let read = 0; read < LIMITS.readsToKeep; read += 1) cache.countRead(keyOf('a'), LARGE, 0);
    const place = cache.reserve(keyOf('a'), 0);
    assert.ok(place !== null);
    assert.equal(cache.reserve(keyOf('a'), 0), null, 'it is counted anew');
    cache.giveUp(place);
  }
  assert.equal(cache.heldBytes, 0);
});

test('lets go of what nobody reads', () => {
  const cache = new BodyCache(LIMITS, generations);
  heat(cache, 'a', 'text', 0);
  cache.trim(1_249);
  assert.ok(cache.isToBeRenewed(keyOf('a')));
  cache.trim(1_250);
  assert.equal(cache.isToBeRenewed(keyOf('a')), false);
  assert.equal(cache.heldBytes, 0);
});
