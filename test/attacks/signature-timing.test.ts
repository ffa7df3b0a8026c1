/**
 * A48: what the time of a refusal tells. 100,000 times of each class for the comparison itself; through the whole server
 * as many as fit into some seconds, and all of them in `npm run test:attacks:long`.
 */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifySignature } from '../../src/workers/verify-signature.ts';
import { put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { hmacHex, signV } from '../support/sign.ts';
import { assertLeak, assertNoLeak, type Times } from '../support/timing-leak.ts';
import { isLongRun } from './support/long-run.ts';

const SAMPLES = 100_000;
const MAX_WIRE_MS = isLongRun ? Number.POSITIVE_INFINITY : 10_000;
const WARM_UP = 2_000;
const MESSAGE = { text: 'timing 3', storedType: null };
const MAC = hmacHex(TEST_SECRET, MESSAGE.text);

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** The MAC with one hexadecimal digit changed; a new string each time, as if it had come by the wire. */
function wrongAt(mac: string, index: number): string {
  const bytes = Buffer.from(mac, 'latin1');
  bytes.write(((Number.parseInt(mac.charAt(index), 16) + randomInt(1, 16)) % 16).toString(16), index, 'latin1');
  return bytes.toString('latin1');
}

/** Calls with a MAC that is wrong in its first byte, or in its last, in random order. */
function timesOf(verify: (mac: string) => unknown): Times {
  const times: Times = [[], []];
  for (let count = -WARM_UP; count < 2 * SAMPLES; count += 1) {
    const kind = randomInt(2) === 0 ? 0 : 1;
    const mac = wrongAt(MAC, kind === 0 ? 0 : 63);
    const started = process.hrtime.bigint();
    verify(mac);
    const took = Number(process.hrtime.bigint() - started);
    if (count >= 0) times[kind].push(took);
  }
  return times;
}

const verify = (mac: string): unknown => verifySignature({ scheme: 'v', mac, messages: [MESSAGE] }, [TEST_SECRET]);

/** What must not be: it ends at the first byte that differs. */
function verifyLeaking(mac: string): boolean {
  const [presented, computed] = [Buffer.from(mac, 'hex'), Buffer.from(hmacHex(TEST_SECRET, MESSAGE.text), 'hex')];
  return presented.every((byte, index) => byte === computed[index]);
}

test('A48 the comparison takes the same time whether the first byte is wrong or the last', async (context) => {
  const found = await assertNoLeak(() => timesOf(verify));
  context.diagnostic(`|t| = ${found.map((leak) => leak.toFixed(2)).join(', ')} of ${SAMPLES} times each`);
});

test('A48 the measurement tells a comparison that ends at the first byte that differs', async () => {
  await assertLeak(() => timesOf(verifyLeaking));
});

/** Requests in turn and in random order over one connection. */
async function timesOnTheWire(first: Buffer, second: Buffer, samples = SAMPLES): Promise<Times> {
  const connection = await RawConnection.open(server.port);
  const times: Times = [[], []];
  const endMs = performance.now() + MAX_WIRE_MS;
  try {
    for (let count = -WARM_UP / 4; count < samples && performance.now() < endMs; count += 1) {
      const start = randomInt(2);
      for (const kind of [start, 1 - start] as const) {
        const startedMs = performance.now();
        await connection.send(kind === 0 ? first : second);
        await connection.response();
        if (count >= 0) times[kind === 0 ? 0 : 1].push(performance.now() - startedMs);
      }
    }
  } finally {
    connection.drop();
  }
  return times;
}

function putWith(key: string, mac: string): Buffer {
  return requestBytes('PUT', `/files/${key}?v=${mac}`, {}, 'abc');
}

for (const [what, prepare] of [
  [
    'how much of a MAC is right',
    async () => {
      const right = signV(TEST_SECRET, 'timing', 3);
      return [putWith('timing', wrongAt(right, 0)), putWith('timing', wrongAt(right, 63))];
    },
  ],
  [
    'whether the file exists',
    async () => {
      assert.equal((await put(server.port, server.signedTarget('there/file', 3), 'abc')).status, 201);
      const wrong = '5'.repeat(64);
      return [putWith('there/file', wrong), putWith('never/file', wrong)];
    },
  ],
] as const satisfies readonly (readonly [string, () => Promise<readonly [Buffer, Buffer]>])[]) {
  test(`A48 the time of a refusal does not tell ${what}`, async (context) => {
    const [first, second] = await prepare();
    let count = 0;
    const found = await assertNoLeak(async () => {
      const times = await timesOnTheWire(first, second);
      count = times[0].length;
      return times;
    });
    context.diagnostic(`|t| = ${found.map((leak) => leak.toFixed(2)).join(', ')} of ${count} times each`);
  });
}

test('A48 the measurement tells a refusal without any HMAC from one with it', async () => {
  await assertLeak(() => timesOnTheWire(putWith('timing', 'zz'), putWith('timing', '5'.repeat(64)), 4_000));
});
