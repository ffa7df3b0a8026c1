/** A crash at any moment of an upload to a fresh path. Needs root: it mounts file systems and cuts their power. */

import { describe, test } from 'node:test';
import { assertNoneBad, crashAtEveryPoint } from './support/crash-points.ts';
import { creations } from './support/operation.ts';

describe('crashes of uploads', { concurrency: 4 }, () => {
  for (const operation of creations) {
    for (const fileSystem of ['ext4', 'xfs'] as const) {
      test(`F02 ${operation.name}, ${fileSystem}: killed before every call that changes the store`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'kill' });
        assertNoneBad(t, `F02 ${operation.name}, ${fileSystem}, kill`, points);
      });

      test(`F07 F02 ${operation.name}, ${fileSystem}: power cut before every sync`, async (t) => {
        const points = await crashAtEveryPoint({ operation, fileSystem, crash: 'power-cut' });
        assertNoneBad(t, `F07 F02 ${operation.name}, ${fileSystem}, power cut`, points);
      });
    }
  }
});
