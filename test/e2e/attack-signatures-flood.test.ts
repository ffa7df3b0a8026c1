/** Floods of bad signatures, and what their timing tells. Each title begins with the number of the attack. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signV } from '../support/sign.ts';
import { treeWithoutMarks } from '../support/store-state.ts';

const CONNECTIONS = 32;
const BAD_SIGNATURES = 20_000;
/** Lines about refused signatures, of one kind, in a second. */
const LINES_PER_SECOND = 10;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { LogLevel: 'info' } });
});

after(() => server.stop());

async function flood(client: number): Promise<void> {
  const connection = await RawConnection.open(server.port);
  try {
    for (let count = 0; count < BAD_SIGNATURES / CONNECTIONS; count += 1) {
      const mac = signV(TEST_SECRET, `other-${client}`, count);
      await connection.send(requestBytes('PUT', `/files/flood-${client}/${count}/x?v=${mac}`, {}, 'abc'));
      assert.equal((await connection.response()).status, 403);
    }
  } finally {
    connection.drop();
  }
}

/** Uploads one file after the other until the flood is over. Resolves to the slowest upload's time. */
async function uploadMeanwhile(isOver: () => boolean): Promise<number> {
  let slowestMs = 0;
  for (let count = 0; !isOver(); count += 1) {
    const startedMs = performance.now();
    assert.equal((await put(server.port, server.signedTarget(`good-${count}`, 4), 'good')).status, 201);
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return slowestMs;
}

test('A47 20,000 bad signatures make no folder, no staging file and no flood of lines, and hold up no upload', async () => {
  const startedMs = performance.now();
  let isOver = false;
  const floods = Promise.all(Array.from({ length: CONNECTIONS }, (_, client) => flood(client))).finally(() => {
    isOver = true;
  });
  const [, slowestMs] = await Promise.all([floods, uploadMeanwhile(() => isOver)]);
  const seconds = (performance.now() - startedMs) / 1_000;
  assert.ok(slowestMs < 1_000, `${slowestMs} ms`);
  assert.deepEqual(server.stagingFiles(), []);
  const strange = treeWithoutMarks(server.storeDir).filter(
    (path) => !/^(?:\.hfs\/(?:(?:long|records|staging|uploads)\/)?|good-\d+)$/.test(path),
  );
  assert.deepEqual(strange, []);
  const refusals = server.lines.filter((line) => line.event === 'signature.refused');
  assert.ok(refusals.length > 0);
  assert.ok(refusals.length <= LINES_PER_SECOND * (seconds + 2), `${refusals.length} lines in ${seconds} s`);
});

interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

/** Of the faster samples: the slow ones are the machine's, not the server's. */
function momentsOf(samples: readonly number[]): Moments {
  const kept = samples.toSorted((a, b) => a - b).slice(0, Math.floor(samples.length * KEPT_SHARE));
  const mean = kept.reduce((sum, sample) => sum + sample, 0) / kept.length;
  const variance = kept.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

/** Welch's t: how surely two sets of samples have different means. */
function welch(a: Moments, b: Moments): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

const SAMPLES = 4_000;
const KEPT_SHARE = 0.8;
const WARM_UP = 500;
const MAX_T = 4.5;
/** A machine that is busy with something else for a moment gets another chance. */
const ATTEMPTS = 3;

async function secondsOf(connection: RawConnection, request: Buffer): Promise<number> {
  const startedMs = performance.now();
  await connection.send(request);
  await connection.response();
  return performance.now() - startedMs;
}

/** |t| of the answer times of two requests, sent in turn and in random order over one connection. */
async function measure(first: Buffer, second: Buffer): Promise<number> {
  const connection = await RawConnection.open(server.port);
  const samples: readonly [number[], number[]] = [[], []];
  try {
    for (let count = -WARM_UP; count < SAMPLES; count += 1) {
      const isFirstFirst = Math.random() < 0.5;
      const times: [number, number] = [0, 0];
      for (const isFirst of [isFirstFirst, !isFirstFirst]) {
        times[isFirst ? 0 : 1] = await secondsOf(connection, isFirst ? first : second);
      }
      if (count < 0) continue;
      samples[0].push(times[0]);
      samples[1].push(times[1]);
    }
  } finally {
    connection.drop();
  }
  return Math.abs(welch(momentsOf(samples[0]), momentsOf(samples[1])));
}

async function assertSameTime(first: Buffer, second: Buffer): Promise<void> {
  const measured: number[] = [];
  while (measured.length < ATTEMPTS) {
    measured.push(await measure(first, second));
    if ((measured.at(-1) ?? 0) < MAX_T) return;
  }
  assert.fail(`|t| = ${measured.join(', ')}`);
}

function putWith(key: string, mac: string): Buffer {
  return requestBytes('PUT', `/files/${key}?v=${mac}`, {}, 'abc');
}

/** The MAC with one hexadecimal digit changed. */
function wrongAt(mac: string, index: number): string {
  const digit = ((Number.parseInt(mac.charAt(index), 16) + 1) % 16).toString(16);
  return mac.slice(0, index) + digit + mac.slice(index + 1);
}

test('A48 the time of a refusal does not tell how much of a MAC is right', async () => {
  const right = signV(TEST_SECRET, 'timing', 3);
  await assertSameTime(putWith('timing', wrongAt(right, 0)), putWith('timing', wrongAt(right, 63)));
});

test('A48 the time of a refusal does not tell whether the file exists', async () => {
  assert.equal((await put(server.port, server.signedTarget('there/file', 3), 'abc')).status, 201);
  const wrong = '5'.repeat(64);
  await assertSameTime(putWith('there/file', wrong), putWith('never/file', wrong));
});

test('A48 the measurement tells a refusal without any HMAC from one with it', async () => {
  assert.ok((await measure(putWith('timing', 'zz'), putWith('timing', '5'.repeat(64)))) > MAX_T);
});
