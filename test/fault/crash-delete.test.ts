/** A crash at any moment of a signed deletion. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad, crashAtEveryPoint } from './support/crash-points.ts';
import { deletions } from './support/operation.ts';

describe('crashes of deletions', { concurrency: 4 }, () => {
  for (const operation of deletions) {
    for (const fileSystem of ['ext4', 'xfs'] as const) {
      test(`F05 ${operation.name}, ${fileSystem}: killed before every call that changes the store`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'kill' });
        assertNoneBad(t, `F05 ${operation.name}, ${fileSystem}, kill`, points);
      });

      test(`F07 F05 ${operation.name}, ${fileSystem}: power cut before every sync`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'power-cut' });
        assertNoneBad(t, `F07 F05 ${operation.name}, ${fileSystem}, power cut`, points);
      });
    }
  }
});
