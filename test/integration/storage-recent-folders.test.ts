/** Folders that stay open for a while: what is removed, made anew or swapped meanwhile is noticed. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keep, readFile, StoreFixture } from '../support/store-fixture.ts';

let store: StoreFixture;

before(() => {
  store = new StoreFixture();
});

after(() => store.remove());

function onDisk(...names: string[]): string {
  return join(store.settings.storeDir, ...names);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

test('stores into a folder that was removed since the last upload went there', async () => {
  await keep(store.storage, 'removed/a/one', 'first');
  rmSync(onDisk('removed'), { recursive: true });
  await keep(store.storage, 'removed/a/two', 'second');
  assert.equal(readFileSync(onDisk('removed', 'a', 'two'), 'utf8'), 'second');
});

test('finds a file in a folder that was removed and made anew since the last one was read there', async () => {
  await keep(store.storage, 'anew/one', 'old');
  assert.equal(readFile(store.storage, 'anew/one').text, 'old');
  rmSync(onDisk('anew'), { recursive: true });
  mkdirSync(onDisk('anew'));
  writeFileSync(onDisk('anew', 'two'), 'new');
  assert.equal(readFile(store.storage, 'anew/two').text, 'new');
  assert.throws(() => readFile(store.storage, 'anew/one'), { code: 'not-found' });
});

test('says of a file that is not there that it is not, in folders known and unknown', async () => {
  await keep(store.storage, 'known/one', 'x');
  assert.equal(readFile(store.storage, 'known/one').text, 'x');
  assert.throws(() => readFile(store.storage, 'known/two'), { code: 'not-found' });
  assert.throws(() => readFile(store.storage, 'unknown/two'), { code: 'not-found' });
});

test('never leaves the store by a link that took the place of a folder', async () => {
  await keep(store.storage, 'swapped/one', 'inside');
  renameSync(onDisk('swapped'), onDisk('moved'));
  symlinkSync(tmpdir(), onDisk('swapped'));
  // Within the second the folder itself is used, as if it had been renamed afterwards.
  await keep(store.storage, 'swapped/two', 'inside, too');
  assert.equal(readFileSync(onDisk('moved', 'two'), 'utf8'), 'inside, too');
});

for (const [what, folders] of [
  ['however many there are', ''],
  ['however deep they are', 'deep/'.repeat(300)],
] as const) {
  test(`keeps a bounded number of folders open, ${what}`, async () => {
    const descriptors = openDescriptors();
    for (let index = 0; index < 200; index += 1) {
      await keep(store.storage, `many/${index}/${folders}file`, 'x');
      assert.equal(readFile(store.storage, `many/${index}/${folders}file`).text, 'x');
    }
    assert.ok(openDescriptors() - descriptors <= 128, `${openDescriptors() - descriptors} more descriptors`);
  });
}
