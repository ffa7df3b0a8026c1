/**
 * Crashes at random moments under uploads that are gone on with: every one of them arrives intact, and nothing stays
 * behind. `FAULT_ROUNDS` multiplies the number of crashes. Needs no privileges.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../support/server-process.ts';
import { leftovers } from './support/leftovers.ts';
import { ResumingCrowd } from './support/resuming-crowd.ts';
import { startSettled } from './support/settled-server.ts';

const KIB = 1024;
const KILLS = 100 * Number(process.env['FAULT_ROUNDS'] ?? '1');
const CLIENTS = 50;
/** A crash comes so many milliseconds after the clients have gone on, at most. */
const LATEST_CRASH_MS = 400;
const settings = { ChunkSize: 32 * KIB };

/** Numbers from 0 to 1 that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test(`F01 ${KILLS} SIGKILLs under ${CLIENTS} resumable uploads: all of them arrive intact, nothing stays behind`, async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmac-crash-uploads-')));
  const storeDir = join(folder, 'store');
  const random = numbers(4);
  const crowd = new ResumingCrowd({ clients: CLIENTS, sizeOf: (index) => (50 + ((index * 397) % 2_000)) * KIB });
  const findings: string[] = [];
  let server: ServerProcess | null = null;
  try {
    server = await startSettled({ storeDir, settings });
    const running = crowd.run();
    for (let kill = 0; kill < KILLS; kill += 1) {
      crowd.use(server);
      await delay(random() * LATEST_CRASH_MS);
      crowd.loseServer();
      server.kill('SIGKILL');
      await server.stop();
      server = await startSettled({ storeDir, settings });
      findings.push(...leftovers(storeDir));
    }
    crowd.close();
    crowd.use(server);
    await running;
    const bytesLeft = readdirSync(join(storeDir, '.hfs/uploads')).filter((name) => name.endsWith('.data'));
    findings.push(...crowd.findings, ...leftovers(storeDir), ...bytesLeft);
    const { finishedUploads, resumptions } = crowd;
    t.diagnostic(
      `F01 resumable: ${KILLS} kills, ${finishedUploads} uploads finished, ${resumptions} times gone on with`,
    );
    assert.ok(resumptions >= KILLS, `only ${resumptions} uploads were broken off`);
    assert.deepEqual(findings, []);
  } finally {
    server?.kill('SIGKILL');
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
