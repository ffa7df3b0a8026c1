/** The sweep in its own thread against uploads in another: no upload fails because a folder was empty for a moment. */

import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { JobPool } from '../../src/main/lanes/job-pool.ts';
import { keep, readFile, StoreFixture } from '../support/store-fixture.ts';

const UPLOADS = 400;

let store: StoreFixture;
let jobs: JobPool;

before(() => {
  store = new StoreFixture({ durability: 'full' });
  jobs = new JobPool({ settings: store.settings, events: new EventDispatcher() });
});

after(async () => {
  await jobs.stop();
  store.remove();
});

test('F78 uploads into folders that are pruned all the time succeed, and are there', async () => {
  let isOver = false;
  let pruned = 0;
  const sweep = async (): Promise<void> => {
    for (let pass = 1; !isOver; pass += 1) {
      const { totals } = await jobs.run({ task: 'sweep', pass, knownFiles: null, budgetMs: 1_000 });
      pruned += totals.prunedFolders;
    }
  };
  const sweeping = sweep();
  for (let index = 0; index < UPLOADS; index += 1) {
    const path = `a/b/c/${index % 3}/file`;
    await keep(store.storage, path, `${index}`, index % 2 === 0 ? 'x/own' : null);
    assert.equal(readFile(store.storage, path).text, `${index}`);
    // The folders are empty again, and removed while the next upload opens them.
    rmSync(store.pathOf(path));
    if (index % 40 === 0) while (existsSync(store.pathOf('a'))) await new Promise((resolve) => setImmediate(resolve));
  }
  isOver = true;
  await sweeping;
  assert.ok(pruned > 10, `${pruned} folders`);
});
