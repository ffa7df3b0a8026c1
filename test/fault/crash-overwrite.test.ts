/** A crash at any moment of an upload that takes the place of a file. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad, crashAtEveryPoint } from './support/crash-points.ts';
import { overwrites } from './support/operation.ts';

describe('crashes of overwrites', { concurrency: 4 }, () => {
  for (const operation of overwrites) {
    for (const fileSystem of ['ext4', 'xfs'] as const) {
      test(`F03 ${operation.name}, ${fileSystem}: killed before every call that changes the store`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'kill' });
        assertNoneBad(t, `F03 ${operation.name}, ${fileSystem}, kill`, points);
      });

      test(`F07 F03 ${operation.name}, ${fileSystem}: power cut before every sync`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'power-cut' });
        assertNoneBad(t, `F07 F03 ${operation.name}, ${fileSystem}, power cut`, points);
      });
    }
  }
});
