/** MaxOpenUploadsPerOwner: how many uploads one uploader may leave unfinished, from creation to the end, over a crash, too. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { OwnerUsage } from '../../src/shared/owner-usage.ts';
import type { ResourceName } from '../../src/shared/resumable.ts';
import type { SignedTerms } from '../../src/shared/signature.ts';
import { UnfinishedUploads } from '../../src/shared/unfinished-uploads.ts';
import { createUploadHolders } from '../../src/shared/upload-holders.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { recoverStore } from '../../src/workers/storage/recover-store.ts';
import { admitUploads } from '../../src/workers/storage/uploads/admit-uploads.ts';
import { appending, bodyOf, creation, discarding, NO_TERMS, resource, TestLane } from '../support/resumable-fixture.ts';
import { StoreFixture } from '../support/store-fixture.ts';

const LIMIT = 3;
const alice = { ...NO_TERMS, owner: 'alice@example.com' };
const bob = { ...NO_TERMS, owner: 'bob@example.com' };

let store: StoreFixture;
let lane: TestLane;
let other: TestLane;

beforeEach(() => {
  store = new StoreFixture({ maxOpenUploadsPerOwner: LIMIT });
  lane = new TestLane(store.storage);
  other = new TestLane(store.neighbour());
});

afterEach(async () => {
  await Promise.all([lane.close(), other.close()]);
  store.remove();
});

async function begin(key: string, terms: SignedTerms = alice): Promise<ResourceName> {
  return (await lane.run(creation(key, 10, { terms }))).state.name;
}

async function refused(key: string, by = other): Promise<void> {
  assert.equal((await by.fail(creation(key, 10, { terms: alice }))).code, 'too-many-uploads');
}

test('A73 one more than an owner may leave unfinished is refused by every lane; others are let in', async () => {
  for (let index = 0; index < LIMIT; index += 1) await begin(`alice-${index}`);
  await refused('alice-more', lane);
  await refused('alice-more');
  for (let index = 0; index < LIMIT; index += 1) await begin(`bob-${index}`, bob);
  for (let index = 0; index <= LIMIT; index += 1) await begin(`nobody-${index}`, NO_TERMS);
});

test('what is complete, discarded or refused counts no more', async () => {
  new OwnerUsage(store.settings.ownerUsage).limitBytes = 10 * LIMIT;
  const [complete, discarded] = [await begin('complete'), await begin('discarded')];
  assert.equal((await lane.fail(creation('large', 10 * LIMIT, { terms: alice }))).code, 'over-quota');
  await begin('third');
  await refused('fourth');
  await lane.run(discarding(resource(discarded)));
  await begin('fourth');
  await refused('fifth');
  new OwnerUsage(store.settings.ownerUsage).limitBytes = null;
  await lane.run(appending(resource(complete), 0, bodyOf(10)), Buffer.alloc(10));
  await begin('fifth');
  await refused('sixth');
});

test('after a crash they are counted from the records', async () => {
  for (let index = 0; index < LIMIT; index += 1) await begin(`alice-${index}`);
  const settings = {
    ...store.settings,
    unfinishedUploads: UnfinishedUploads.allocate(),
    uploadHolders: createUploadHolders(),
    ownerUsage: OwnerUsage.allocate(),
  };
  recoverStore(settings.storeDir);
  admitUploads(settings);
  const next = new TestLane(new FilesystemStorage(settings, 0));
  await refused('alice-more', next);
  await next.close();
});
