/** Slow and stalled uploads: they keep nobody waiting, and honest ones are let through. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { content, PacedClient, put } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';

const STALLED = 200;
const SAMPLES = 15;
const BODY = content('measured', 64 * 1024);
/** Below what the transport's own timer lets through; above our own minimum of 1 KiB a second. */
const RATES = [8_000, 2_000];
/** That timer would cut such uploads after 11 to 19 seconds. */
const SECONDS = 22;

describe('slow uploads', { concurrency: true }, () => {
  let server: ServerProcess;

  before(async () => {
    server = await ServerProcess.start();
  });

  after(() => server.stop());

  for (const rate of RATES) {
    it(`lets an honest upload at ${rate} bytes a second through`, async () => {
      const bytes = content(`rate ${rate}`, rate * SECONDS);
      const client = await PacedClient.openUpload(server, `rate-${rate}.bin`, bytes.length);
      await client.sendAtRate(bytes, rate);
      assert.equal((await client.receiveAnswer()).status, 201);
      client.close();
      const response = await fetch(`${server.origin}/files/rate-${rate}.bin`);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
    });
  }

  it(`serves a new upload as quickly beside ${STALLED} stalled ones`, async () => {
    const own = await ServerProcess.start();
    try {
      const usual = await uploadTimes(own, 'before');
      const stalled = await Promise.all(
        Array.from({ length: STALLED }, (_, index) => PacedClient.openUpload(own, `stalled-${index}.bin`, 1_000_000)),
      );
      await Promise.all(stalled.map((client) => client.send('x')));
      await eventually(() => own.stagingFiles().length === STALLED, 'all are being received');
      const beside = await uploadTimes(own, 'beside');
      assert.ok(median(beside) < 10 * median(usual), `${median(beside)} ms beside, ${median(usual)} ms before`);
      assert.ok(Math.max(...beside) < 1_000, `${Math.max(...beside)} ms`);
      const grown = own.residentBytes();
      assert.ok(grown < 250 * 1024 * 1024, `${grown} bytes resident`);
      for (const client of stalled) client.reset();
      await eventually(() => own.stagingFiles().length === 0, 'nothing is left of them');
    } finally {
      await own.stop();
    }
  });
});

async function uploadTimes(server: ServerProcess, name: string): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < SAMPLES; index += 1) {
    const started = performance.now();
    assert.equal(await put(server, `${name}/${index}.bin`, BODY), 201);
    times.push(performance.now() - started);
  }
  return times;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}
