/** A crash at any moment of the removal of expired files. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad } from './support/crash-points.ts';
import { crashDuringExpiry } from './support/expiry-points.ts';

describe('crashes of expiry', { concurrency: 4 }, () => {
  for (const fileSystem of ['ext4', 'xfs'] as const) {
    test(`F05 ${fileSystem}: killed before every call of a pass that removes expired files`, async (t) => {
      assertNoneBad(t, `F05 ${fileSystem}, kill`, await crashDuringExpiry({ fileSystem, crash: 'kill' }));
    });

    test(`F07 F05 ${fileSystem}: power cut before every sync of a pass that removes expired files`, async (t) => {
      assertNoneBad(t, `F07 F05 ${fileSystem}, power cut`, await crashDuringExpiry({ fileSystem, crash: 'power-cut' }));
    });
  }
});
