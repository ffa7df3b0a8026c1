/** Every call that an upload which is gone on with makes on the store fails once. The file system itself is sound. */

import { describe, test } from 'node:test';
import { assertNoneBad } from './support/crash-points.ts';
import { failAtEveryCall } from './support/failure-points.ts';
import { resumables } from './support/resumable-operation.ts';

describe('calls of resumable uploads that fail', { concurrency: 4 }, () => {
  for (const operation of resumables.filter(({ name }) => name === 'tus appends')) {
    test(`F19 F20 F21 F22 ${operation.name}: every call fails once with EIO`, async (t) => {
      const points = await failAtEveryCall({ operation, error: 'EIO' });
      assertNoneBad(t, `F19 F20 F21 F22 ${operation.name}, EIO`, points);
    });

    test(`F14 ${operation.name}: every call fails once with ENOSPC`, async (t) => {
      const points = await failAtEveryCall({ operation, error: 'ENOSPC' });
      assertNoneBad(t, `F14 ${operation.name}, ENOSPC`, points);
    });
  }
});
