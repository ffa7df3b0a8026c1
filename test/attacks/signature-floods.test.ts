/** A47: 100,000 bad signatures as fast as they are answered, and what becomes of everything else meanwhile. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { linesUpToNow } from '../support/log-marker.ts';
import { put, requestBytes } from '../support/raw-http.ts';
import { flood } from '../support/request-flood.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, treeWithoutMarks } from '../support/store-state.ts';

const CONNECTIONS = 32;
const BAD_SIGNATURES = 100_000;
/** Lines about refused signatures, of one kind, in a second. */
const LINES_PER_SECOND = 10;
/** The flood and other tests take the same cores: the figure that is printed is the one to look at. */
const MAX_UPLOAD_MS = 2_000;
/** All calls that name a file (Debian: strace). */
const WITNESS = ['strace', '-D', '-f', '-s', '256', '--seccomp-bpf', '-e', 'trace=%file', '-e', 'signal=none', '-o'];

let folder = '';
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-flood-'));
  server = await ServerProcess.start({ settings: { LogLevel: 'info' }, prefix: [...WITNESS, join(folder, 'calls')] });
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Uploads one file after the other until the flood is over. Resolves to the time of each. */
async function uploadMeanwhile(isOver: () => boolean): Promise<readonly number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const startedMs = performance.now();
    const { status } = await put(server.port, server.signedTarget(`good/${times.length}`, 4), 'good');
    assert.equal(status, 201);
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b);
}

test(`A47 ${BAD_SIGNATURES} bad signatures touch no disk, flood no log and hold up no upload`, async (context) => {
  const startedMs = performance.now();
  let isOver = false;
  const floods = flood({
    port: server.port,
    connections: CONNECTIONS,
    requests: BAD_SIGNATURES,
    requestOf: (index) => {
      const wrong = index.toString(16).padStart(64, '5');
      return requestBytes('PUT', `/files/flood-${index % 997}/${index}/x?v=${wrong}`, {}, 'abc');
    },
    judge: ({ status }) => assert.equal(status, 403),
  }).finally(() => {
    isOver = true;
  });
  const [, times] = await Promise.all([floods, uploadMeanwhile(() => isOver)]);
  const seconds = (performance.now() - startedMs) / 1_000;
  const [median = 0, slowest = 0] = [times[Math.floor(times.length / 2)], times.at(-1)];
  context.diagnostic(
    `${Math.round(BAD_SIGNATURES / seconds)}/s; ${times.length} uploads meanwhile: median ${median.toFixed(1)} ms, longest ${slowest.toFixed(1)} ms`,
  );
  assert.ok(times.length > 0 && slowest < MAX_UPLOAD_MS, `${slowest} ms`);

  const refusals = (await linesUpToNow(server)).filter((line) => line.event === 'signature.refused');
  assert.ok(refusals.length > 0);
  assert.ok(refusals.length <= LINES_PER_SECOND * (seconds + 2), `${refusals.length} lines in ${seconds} s`);
  assert.deepEqual(server.stagingFiles(), []);
  const strange = treeWithoutMarks(server.storeDir).filter(
    (path) => !/^(?:\.hfs\/(?:(?:long|records|staging|uploads)\/)?|good\/(?:\d+)?)$/.test(path),
  );
  assert.deepEqual(strange, []);
});

test('A47 the kernel has seen no name of the flood', async () => {
  await server.stop();
  // The witness goes on writing for a moment; the end of the first thread is the last that it has to tell.
  const written = (): string => readFileSync(join(folder, 'calls'), 'utf8');
  const end = new RegExp(`^${server.pid} +\\+\\+\\+ exited with 0`, 'm');
  await eventually(() => end.test(written()), 'the witness has told everything');
  const calls = written().split('\n');
  assert.ok(
    calls.some((call) => /\/good"/.test(call)),
    'the witness has seen the uploads',
  );
  assert.deepEqual(calls.filter((call) => call.includes('flood-')).slice(0, 5), []);
});
