/** Lanes and memory, divided among data planes: nothing lost, nothing given twice, nobody left without. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { divideAmongListeners } from '../../src/main/plane-share.ts';

const MEBIBYTE = 1024 * 1024;

test('one listener gets everything', () => {
  assert.deepEqual(divideAmongListeners({ listeners: 1, uploadLanes: 5, downloadLanes: 3 }), [
    {
      uploadLanes: 5,
      downloadLanes: 3,
      firstPlace: 0,
      uploadBytes: 192 * MEBIBYTE,
      downloadBytes: 8 * MEBIBYTE,
      cacheBytes: 16 * MEBIBYTE,
    },
  ]);
});

test('lanes that do not divide evenly go to different listeners', () => {
  const shares = divideAmongListeners({ listeners: 2, uploadLanes: 3, downloadLanes: 3 });
  assert.deepEqual(
    shares.map(({ uploadLanes, downloadLanes, firstPlace }) => [uploadLanes, downloadLanes, firstPlace]),
    [
      [2, 1, 0],
      [1, 2, 3],
    ],
  );
});

test('a listener with many download lanes has buffers for all of them', () => {
  const shares = divideAmongListeners({ listeners: 2, uploadLanes: 2, downloadLanes: 32 });
  assert.deepEqual(
    shares.map(({ downloadLanes, downloadBytes }) => [downloadLanes, downloadBytes / MEBIBYTE]),
    [
      [16, 32],
      [16, 32],
    ],
  );
});

test('every lane has a place of its own, and every listener both kinds', () => {
  const settings = fc.integer({ min: 1, max: 64 }).chain((listeners) =>
    fc.record({
      listeners: fc.constant(listeners),
      uploadLanes: fc.integer({ min: listeners, max: 512 }),
      downloadLanes: fc.integer({ min: listeners, max: 256 }),
    }),
  );
  fc.assert(
    fc.property(settings, (config) => {
      const shares = divideAmongListeners(config);
      const places = shares.flatMap(({ firstPlace, uploadLanes, downloadLanes }) =>
        Array.from({ length: uploadLanes + downloadLanes }, (_, index) => firstPlace + index),
      );
      assert.deepEqual(
        places,
        Array.from({ length: config.uploadLanes + config.downloadLanes }, (_, place) => place),
      );
      for (const share of shares) {
        assert.ok(share.uploadLanes >= 1 && share.downloadLanes >= 1);
        assert.ok(share.uploadBytes >= 32 * MEBIBYTE);
      }
    }),
  );
});
