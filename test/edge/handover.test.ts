/** SharedPort on TCP: the port changes hands under load without a failed request, in a network of its own. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../support/project-root.ts';
import type { LoadReport } from '../support/request-load.ts';

const HANDOVERS = 5;
const RUN = join(projectRoot, 'dist/test/edge/support/handover-run.js');
/** What docs/operations.md tells operators to set, here for this network alone (Debian: iproute2 util-linux). */
const NETWORK = 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$@"';

for (const [listeners, protocol] of [
  [1, 'plain'],
  [2, 'plain'],
  [1, 'tls'],
] as const) {
  test(`${HANDOVERS} handovers lose no request: ${listeners} listener(s), ${protocol}`, async () => {
    const command = [process.execPath, RUN, String(HANDOVERS), String(listeners), protocol];
    const args = ['--net', '--map-root-user', 'sh', '-c', NETWORK, 'sh', ...command];
    const { stdout } = await promisify(execFile)('unshare', args);
    const report = JSON.parse(stdout) as LoadReport & { readonly statuses: readonly number[] };
    assert.deepEqual(report.failures, []);
    assert.deepEqual(report.statuses, Array(HANDOVERS + 1).fill(0));
    assert.ok(report.requests > HANDOVERS * 400, `${report.requests} requests`);
    assert.ok(report.longestMs < 5_000, `${report.longestMs} ms`);
  });
}
