/** A crash at any moment of the start that tidies up after other crashes. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad } from './support/crash-points.ts';
import { creations } from './support/operation.ts';
import { crashDuringRecovery, type RecoverySite } from './support/recovery-points.ts';

/** Content written, visible but still in staging, and (with a record) a record without a content. */
const brokenOff: RecoverySite['brokenOff'] = creations.map((operation) => ({ operation, before: ['link', 'unlink'] }));

describe('crashes of recovery', { concurrency: 2 }, () => {
  for (const fileSystem of ['ext4', 'xfs'] as const) {
    test(`F06 ${fileSystem}: killed before every call of a start after crashes`, async (t) => {
      const points = await crashDuringRecovery({ fileSystem, brokenOff, crash: 'kill' });
      assertNoneBad(t, `F06 ${fileSystem}, kill`, points);
    });

    test(`F07 F06 ${fileSystem}: power cut before every call of a start after crashes`, async (t) => {
      const points = await crashDuringRecovery({ fileSystem, brokenOff, crash: 'power-cut' });
      assertNoneBad(t, `F07 F06 ${fileSystem}, power cut`, points);
    });
  }
});
