/** The watchdog of the lanes: a disk that hangs is found by lanes that have work and answer nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HUNG_LOOKS, LaneWatchdog, type WatchedLane } from '../../src/main/lanes/lane-watchdog.ts';

const lane = (name: string, standsStill: () => boolean): WatchedLane => ({ name, standsStill });

/** What the watchdog says after so many looks. */
function lookAt(lanes: readonly WatchedLane[], looks: number): string | null {
  const watchdog = new LaneWatchdog();
  let hung: string | null = null;
  for (let look = 0; look < looks; look += 1) hung = watchdog.hungLane(lanes);
  return hung;
}

test('F28 a lane hangs when it has stood still for a minute of looks, and not before', () => {
  const lanes = [lane('upload-0', () => false), lane('upload-1', () => true)];
  assert.equal(lookAt(lanes, HUNG_LOOKS - 1), null);
  assert.equal(lookAt(lanes, HUNG_LOOKS), 'upload-1');
  assert.equal(lookAt(lanes, HUNG_LOOKS + 100), 'upload-1');
});

test('one answer in between begins the minute anew', () => {
  let look = 0;
  const slow = lane('upload-0', () => {
    look += 1;
    return look !== HUNG_LOOKS - 1;
  });
  assert.equal(lookAt([slow], 2 * HUNG_LOOKS - 2), null);
});

test('every lane is asked at every look, whichever hangs', () => {
  const asked = [0, 0];
  const watch = (index: number): WatchedLane =>
    lane(`upload-${index}`, () => {
      asked[index] = (asked[index] ?? 0) + 1;
      return true;
    });
  assert.equal(lookAt([watch(0), watch(1)], HUNG_LOOKS + 1), 'upload-0');
  assert.deepEqual(asked, [HUNG_LOOKS + 1, HUNG_LOOKS + 1]);
});
