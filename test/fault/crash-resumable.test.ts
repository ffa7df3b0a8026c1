/** A crash at any moment of an upload that is gone on with. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad, crashAtEveryPoint } from './support/crash-points.ts';
import { resumables } from './support/resumable-operation.ts';

describe('crashes of resumable uploads', { concurrency: 4 }, () => {
  for (const operation of resumables) {
    for (const fileSystem of ['ext4', 'xfs'] as const) {
      test(`F04 ${operation.name}, ${fileSystem}: killed before every call that changes the store`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'kill' });
        assertNoneBad(t, `F04 ${operation.name}, ${fileSystem}, kill`, points);
      });

      test(`F07 F04 ${operation.name}, ${fileSystem}: power cut before every sync`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'power-cut' });
        assertNoneBad(t, `F07 F04 ${operation.name}, ${fileSystem}, power cut`, points);
      });
    }
  }
});
