/** Who holds an upload: one at a time, the newest asks for it, and nothing is held by the dead. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createUploadHolders, freeHoldingsOf, type Holding, UploadHolders } from '../../src/shared/upload-holders.ts';

const ID = '0123456789abcdef0123456789abcdef';
const never = (): boolean => false;

function pair(): [UploadHolders, UploadHolders, SharedArrayBuffer] {
  const shared = createUploadHolders();
  return [new UploadHolders(shared, 0), new UploadHolders(shared, 1), shared];
}

async function take(holders: UploadHolders, id = ID): Promise<Holding> {
  const holding = await holders.take(id, never);
  assert.ok(holding !== null);
  return holding;
}

test('an upload has one holder, within a thread and among several', async () => {
  const [first, second] = pair();
  const holding = await take(first);
  assert.equal(first.tryTake(ID), null);
  assert.equal(second.tryTake(ID), null);
  holding.release();
  holding.release();
  const next = second.tryTake(ID);
  assert.ok(next !== null);
  // An old holding frees nothing that another has taken.
  holding.release();
  assert.equal(first.tryTake(ID), null);
});

test('whoever wants an upload is heard by its holder, and has it as soon as it is let go', async () => {
  const [first, second] = pair();
  const holding = await take(first);
  const wanted = new Promise<void>((resolve) => holding.onWanted(resolve));
  const taking = take(second);
  await wanted;
  holding.release();
  (await taking).release();
});

test('wanted before the holder listens counts, too; looking without waiting disturbs nobody', async () => {
  const [first, second] = pair();
  const holding = await take(first);
  second.tryTake(ID);
  let calls = 0;
  holding.onWanted(() => {
    calls += 1;
  });
  await new Promise(setImmediate);
  assert.equal(calls, 0);
  const taking = take(second);
  while (calls === 0) await new Promise(setImmediate);
  holding.release();
  await taking;
});

test('of several who wait each has it in the end', async () => {
  const [first, second] = pair();
  const order: number[] = [];
  const holding = await take(first);
  const waiting = [first, second, first, second].map(async (holders, index) => {
    const taken = await take(holders);
    order.push(index);
    taken.onWanted(() => taken.release());
    await new Promise(setImmediate);
    taken.release();
  });
  holding.release();
  await Promise.all(waiting);
  assert.deepEqual(order.toSorted(), [0, 1, 2, 3]);
});

test('who gives up waiting takes nothing', async () => {
  const [first, second] = pair();
  const holding = await take(first);
  let isGivenUp = false;
  const taking = second.take(ID, () => isGivenUp);
  isGivenUp = true;
  holding.release();
  assert.equal(await taking, null);
  assert.notEqual(second.tryTake(ID), null);
});

test('what a dead thread held is free, and whoever waited for it goes on', async () => {
  const [first, second, shared] = pair();
  await take(first);
  const other = await take(second, 'f'.repeat(32));
  const taking = take(second);
  freeHoldingsOf(shared, 0);
  await taking;
  assert.equal(first.tryTake('f'.repeat(32)), null);
  other.release();
});

test('thousands of uploads are held beside each other, and none is taken for another', () => {
  const [first, second] = pair();
  const ids = Array.from({ length: 5_000 }, () => randomBytes(16).toString('hex'));
  const held = ids.map((id) => first.tryTake(id));
  assert.ok(held.every((holding) => holding !== null));
  assert.ok(ids.every((id) => second.tryTake(id) === null));
  for (const holding of held) holding?.release();
  assert.ok(ids.every((id) => second.tryTake(id) !== null));
});
