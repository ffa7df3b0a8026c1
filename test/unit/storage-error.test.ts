/** How errors of system calls are named, also those that Node has no name for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toStorageError } from '../../src/workers/storage/storage-error.ts';

function systemError(code: string, errno: number): Error {
  return Object.assign(new Error(code), { code, errno });
}

const rows = [
  { code: 'ENOSPC', errno: -28, expected: 'no-space', detail: 'ENOSPC write' },
  { code: 'UNKNOWN', errno: -122, expected: 'no-space', detail: 'EDQUOT write' },
  { code: 'UNKNOWN', errno: -116, expected: 'store-unavailable', detail: 'ESTALE write' },
  { code: 'UNKNOWN', errno: -117, expected: 'io', detail: 'UNKNOWN write' },
] as const;

for (const { code, errno, expected, detail } of rows) {
  test(`${code} ${errno} is ${expected}: ${detail}`, () => {
    const error = toStorageError(systemError(code, errno), 'write');
    assert.equal(error.code, expected);
    assert.equal(error.message, detail);
  });
}
