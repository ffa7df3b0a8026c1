/** The room ledger: promises and use of all lanes together. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomLedger } from '../../src/shared/room-ledger.ts';

test('every lane sees what all lanes promised and used', () => {
  const shared = RoomLedger.allocate(3);
  const [first, second, third] = [0, 1, 2].map((place) => new RoomLedger(shared, place)) as [
    RoomLedger,
    RoomLedger,
    RoomLedger,
  ];
  first.promise(100);
  second.promise(50);
  assert.deepEqual(third.promised, { bytes: 150, files: 2 });
  first.useFile();
  first.useBytes(30);
  assert.deepEqual(third.promised, { bytes: 120, files: 1 });
  assert.deepEqual(third.used, { bytes: 30, files: 1 });
  first.release(70);
  second.takeBack(50);
  assert.deepEqual(third.promised, { bytes: 0, files: 0 });
  assert.deepEqual(second.used, { bytes: 30, files: 1 }, 'what was used stays used');
});

test('sizes beyond 32 bits add up exactly', () => {
  const ledger = new RoomLedger(RoomLedger.allocate(1), 0);
  ledger.promise(2 ** 52);
  ledger.promise(1);
  assert.equal(ledger.promised.bytes, 2 ** 52 + 1);
});

test('the promises of a lane that died are forgotten, its use is not', () => {
  const shared = RoomLedger.allocate(2);
  const [dead, living] = [0, 1].map((place) => new RoomLedger(shared, place)) as [RoomLedger, RoomLedger];
  for (const ledger of [dead, living]) {
    ledger.promise(10);
    ledger.useBytes(4);
  }
  new RoomLedger(shared, 0).forgetPromises();
  assert.deepEqual(living.promised, { bytes: 6, files: 1 });
  assert.deepEqual(living.used, { bytes: 8, files: 0 });
});
