/**
 * A store whose calls fail, one at a time (storage-commit §9): each failure is named, leaves nothing behind, and is
 * never answered with success; no sync is tried twice.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { storageProblems } from '../../src/main/http/problem.ts';
import { RoomLedger } from '../../src/shared/room-ledger.ts';
import type { StorageErrorCode } from '../../src/shared/storage-error.ts';
import { StorageError } from '../../src/workers/storage/storage-error.ts';
import { type FailingCall, failCall } from '../support/failing-calls.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';

const KEY = 'folder/file';

let store: StoreFixture;

beforeEach(() => {
  store = new StoreFixture();
});

afterEach(() => store.remove());

/** Stores a file as a lane does. Returns with which code it failed. */
async function upload(type: string | null): Promise<StorageErrorCode | 'stored'> {
  const bytes = Buffer.from('content');
  try {
    const staged = store.storage.createUpload({ key: keyOf(KEY), size: bytes.length, type });
    try {
      staged.write(bytes);
    } catch (error) {
      staged.discard();
      throw error;
    }
    await staged.commit();
    return 'stored';
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return error.code;
  }
}

const inStaging = (path: unknown): boolean => /[0-9a-f]{16}\.[0-9a-f]{32}$/.test(String(path));
const isRecord = (path: unknown): boolean => String(path).endsWith('.json');

interface Failure extends FailingCall {
  readonly row: string;
  readonly answer: StorageErrorCode;
  readonly status: number;
}

const failures: readonly Failure[] = [
  { row: 'F12', name: 'writeSync', code: 'ENOSPC', answer: 'no-space', status: 507 },
  { row: 'F18', name: 'writeSync', code: 'EDQUOT', answer: 'no-space', status: 507 },
  { row: 'F66', name: 'writeSync', code: 'EFBIG', answer: 'too-large', status: 413 },
  { row: 'F19', name: 'writeSync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F14', name: 'writeSync', code: 'ENOSPC', after: 1, answer: 'no-space', status: 507 },
  { row: 'F22', name: 'writeSync', code: 'EIO', after: 1, answer: 'io', status: 500 },
  { row: 'F13', name: 'fdatasync', code: 'ENOSPC', answer: 'io', status: 500 },
  { row: 'F20', name: 'fdatasync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F20', name: 'fdatasync', code: 'EIO', after: 1, answer: 'io', status: 500 },
  { row: 'F22', name: 'fchmodSync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F52', name: 'openSync', code: 'EMFILE', matches: inStaging, answer: 'too-many-files', status: 503 },
  { row: 'F25', name: 'openSync', code: 'EROFS', matches: inStaging, answer: 'store-unavailable', status: 503 },
  { row: 'F31', name: 'openSync', code: 'ESTALE', matches: inStaging, answer: 'store-unavailable', status: 503 },
  { row: 'F14', name: 'openSync', code: 'ENOSPC', matches: isRecord, answer: 'no-space', status: 507 },
  { row: 'F14', name: 'mkdirSync', code: 'ENOSPC', answer: 'no-space', status: 507 },
  { row: 'F22', name: 'mkdirSync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F25', name: 'mkdirSync', code: 'EROFS', after: 2, answer: 'store-unavailable', status: 503 },
  { row: 'F22', name: 'linkSync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F25', name: 'linkSync', code: 'EROFS', answer: 'store-unavailable', status: 503 },
  { row: 'F32', name: 'linkSync', code: 'EXDEV', answer: 'denied', status: 500 },
  { row: 'F27', name: 'statfsSync', code: 'EIO', answer: 'io', status: 500 },
  { row: 'F22', name: 'fstatSync', code: 'EIO', answer: 'io', status: 500 },
];

for (const { row, answer, status, ...call } of failures) {
  const which = call.after === undefined ? '' : ` (number ${call.after + 1})`;
  test(`${row} ${call.code} of ${call.name}${which}: ${status}, and nothing is left`, async () => {
    const failing = failCall(call);
    try {
      assert.equal(await upload('x/own'), answer);
    } finally {
      failing.restore();
    }
    assert.equal(storageProblems[answer].status, status);
    assert.deepEqual(store.stagingFiles(), []);
    assert.deepEqual(store.recordFiles(), []);
    assert.equal(existsSync(store.pathOf(KEY)), false);
    assert.deepEqual(new RoomLedger(store.settings.roomLedger, 0).promised, { bytes: 0, files: 0 });
    assert.equal(await upload('x/own'), 'stored', 'the slot is free');
    assert.equal(readFile(store.storage, KEY).text, 'content');
  });
}

test('F20 a sync that failed is not tried again', async () => {
  const failing = failCall({ name: 'fdatasync', code: 'EIO' });
  try {
    assert.equal(await upload(null), 'io');
    assert.equal(failing.calls, 1);
  } finally {
    failing.restore();
  }
});

test('F22 an error of close fails an upload that nobody can see yet', async () => {
  const upload = stage(store.storage, KEY, Buffer.from('content'));
  // The content is the first descriptor that the commit closes.
  const failing = failCall({ name: 'closeSync', code: 'EIO' });
  try {
    await assert.rejects(upload.commit(), { code: 'io' });
  } finally {
    failing.restore();
  }
  assert.equal(existsSync(store.pathOf(KEY)), false);
  assert.deepEqual(store.stagingFiles(), []);
});

test('F21 an error of the folder sync after the link: 500, the file is left, and the sync is not tried again', async () => {
  await keep(store.storage, 'folder/first', 'first');
  const failing = failCall({ name: 'fsync', code: 'EIO' });
  try {
    assert.equal(await upload(null), 'io');
    assert.equal(failing.calls, 1);
  } finally {
    failing.restore();
  }
  assert.equal(readFile(store.storage, KEY).text, 'content');
  assert.equal(await upload(null), 'exists', 'a retry of the client finds it');
});

test('F22 a staging file that cannot be removed after the commit costs the upload nothing', async () => {
  const failing = failCall({ name: 'unlinkSync', code: 'EIO' });
  try {
    assert.equal(await upload(null), 'stored');
    assert.equal(failing.calls, 1);
  } finally {
    failing.restore();
  }
  assert.equal(store.stagingFiles().length, 1, 'left for recovery');
});
