/** What threads share without messages: counts, a flag, and the generations of contents. Here with real threads. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { ContentGenerations } from '../../src/shared/content-generations.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { SharedCount } from '../../src/shared/shared-count.ts';
import { SharedFlag } from '../../src/shared/shared-flag.ts';

const keyOf = (name: string): FileKey => name as FileKey;

test('a count shows the sum of all places, and each place is its own', () => {
  const shared = SharedCount.allocate(3);
  const [first, second, third] = [0, 1, 2].map((place) => new SharedCount(shared, place));
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.equal(first.addAndSum(2), 2);
  assert.equal(second.addAndSum(5), 7);
  assert.equal(third.addAndSum(-1), 6);
  second.set(0);
  assert.deepEqual([first.total, second.total, third.total], [1, 1, 1]);
});

/** Adds one, looks, and takes it away again, as often as asked; answers the largest number of those it let in. */
const CONTENDER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.module).then(({ SharedCount }) => {
    const count = new SharedCount(workerData.shared, workerData.place);
    const inside = new SharedCount(workerData.inside, workerData.place);
    let most = 0;
    for (let round = 0; round < workerData.rounds; round += 1) {
      if (count.addAndSum(1) <= workerData.limit) {
        most = Math.max(most, inside.addAndSum(1));
        inside.add(-1);
      }
      count.add(-1);
    }
    parentPort.postMessage(most);
  });`;

test('whoever adds first and then looks never exceeds a limit, whatever other threads do', async () => {
  const [shared, inside] = [SharedCount.allocate(4), SharedCount.allocate(4)];
  const module = new URL('../../src/shared/shared-count.js', import.meta.url).href;
  const most = await Promise.all(
    [0, 1, 2, 3].map((place) => {
      const workerData = { module, shared, inside, place, limit: 2, rounds: 20_000 };
      const worker = new Worker(CONTENDER, { eval: true, workerData });
      return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  assert.ok(Math.max(...most) <= 2, `let in ${most.join(', ')}`);
  assert.ok(Math.max(...most) >= 1, 'nobody was let in');
  assert.equal(new SharedCount(shared, 0).total, 0);
});

test('a flag is seen by everybody who shares it', () => {
  const shared = SharedFlag.allocate();
  const [one, other] = [new SharedFlag(shared), new SharedFlag(shared)];
  assert.equal(other.isSet, false);
  one.set(true);
  assert.equal(other.isSet, true);
  one.set(false);
  assert.equal(other.isSet, false);
});

test('a stamp is current until its path changes, in whichever thread', () => {
  const shared = ContentGenerations.allocate();
  const [here, there] = [new ContentGenerations(shared), new ContentGenerations(shared)];
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      const stamp = here.stamp(keyOf(name));
      assert.ok(here.isCurrent(stamp));
      there.changed(keyOf(name));
      assert.ok(!here.isCurrent(stamp));
      assert.ok(here.isCurrent(here.stamp(keyOf(name))));
    }),
  );
});

test('paths spread over the counters: a change disturbs few others', () => {
  const generations = new ContentGenerations(ContentGenerations.allocate());
  const names = Array.from({ length: 1_000 }, (_, index) => keyOf(`0123456789abcdef/photo-${index}.jpg`));
  const stamps = names.map((name) => generations.stamp(name));
  assert.ok(new Set(stamps.map(({ counter }) => counter)).size > 950);
});
