/** Ids of versions: in the order in which contents were replaced, whatever the clock says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isVersionId, nextVersionId, replacedMsOf } from '../../src/workers/storage/versions/version-id.ts';

const NOW = 1_767_225_600_123;

test('an id is the millisecond of the replacement and a count within it', () => {
  assert.equal(nextVersionId(null, NOW), '01767225600123-000000');
  assert.equal(nextVersionId('01767225600123-000000', NOW), '01767225600123-000001');
  assert.equal(nextVersionId('01767225600123-000041', NOW + 1), '01767225600124-000000');
  assert.equal(replacedMsOf('01767225600123-000041'), NOW);
});

test('F75 a clock that stands still or goes back does not disturb the order', () => {
  assert.equal(nextVersionId('01767225600123-000000', NOW - 86_400_000), '01767225600123-000001');
  assert.equal(nextVersionId('01767225600123-999999', NOW), '01767225600124-000000');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 43 }), { minLength: 2, maxLength: 50 }), (moments) => {
      const ids: string[] = [];
      for (const nowMs of moments) ids.push(nextVersionId(ids.at(-1) ?? null, nowMs));
      assert.deepEqual(ids, ids.toSorted());
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.every(isVersionId));
    }),
  );
});

test('only ids are ids', () => {
  for (const text of ['', 'path', '1767225600123-000000', '01767225600123-000000.new', '01767225600123-00000a']) {
    assert.equal(isVersionId(text), false, text);
  }
});
