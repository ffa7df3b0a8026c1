/** A crash at any moment of the start that tidies up after other crashes. Needs root, as all crashes here. */

import { describe, test } from 'node:test';
import { assertNoneBad } from './support/crash-points.ts';
import { creations, type Operation, overwrites } from './support/operation.ts';
import { crashDuringRecovery } from './support/recovery-points.ts';

/** One server must be able to judge them all. */
const settings = { EnableVersioning: true, MaxVersions: 1 };
const again = { before: 201, after: 201 };

function brokenOffBefore(operation: Operation, calls: readonly string[]) {
  return calls.map((before) => ({ operation: { ...operation, settings, again }, before }));
}

/** Contents without a name, with two, records of nothing, versions that are current, and one version too many. */
const brokenOff = [
  ...creations.flatMap((operation) => brokenOffBefore(operation, ['link', 'unlink'])),
  ...overwrites
    .filter(({ after }) => after.versions.length > 0)
    .flatMap((operation) => brokenOffBefore(operation, ['rename', 'fsync'])),
];

describe('crashes of recovery', { concurrency: 4 }, () => {
  for (const fileSystem of ['ext4', 'xfs'] as const) {
    test(`F06 ${fileSystem}: killed before every call of a start after crashes`, async (t) => {
      const points = await crashDuringRecovery({ fileSystem, settings, brokenOff, crash: 'kill' });
      assertNoneBad(t, `F06 ${fileSystem}, kill`, points);
    });

    test(`F07 F06 ${fileSystem}: power cut before every sync of a start after crashes`, async (t) => {
      const points = await crashDuringRecovery({ fileSystem, settings, brokenOff, crash: 'power-cut' });
      assertNoneBad(t, `F07 F06 ${fileSystem}, power cut`, points);
    });
  }
});
