/** A73: what somebody with valid signatures can do with uploads that are never finished, each part of it by itself. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeClock } from '../fault/support/fake-clock.ts';
import { content } from '../support/paced-transfer.ts';
import { fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { flood } from '../support/request-flood.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';
import {
  appendFields,
  assertNotStored,
  assertRefused,
  assertStored,
  create,
  head,
  locationOf,
  offsetOf,
  patch,
  patchBytes,
  post,
  slotWithSize,
  VERSION,
} from '../support/tus-wire.ts';
import { uploadHas } from '../support/upload-bytes.ts';

/** The default of MaxOpenUploads. */
const MAX_OPEN = 10_000;
const SURPLUS = 200;
const CLIENTS = 16;
const MAX_GROWTH_BYTES = 100 * 1024 * 1024;
const PASS_TIMEOUT_MS = 60_000;

let folder = '';
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-open-uploads-'));
  server = await ServerProcess.start({ settings: { MaxUploadSize: 1_000_000 } });
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function openUploads({ metricsPort }: ServerProcess): Promise<number> {
  const metrics = (await get(metricsPort, '/metrics')).body.toString();
  return Number(/^hmac_unfinished_uploads (\d+)$/m.exec(metrics)?.[1]);
}

function uploadFiles({ storeDir }: ServerProcess): readonly string[] {
  return readdirSync(join(storeDir, '.hfs/uploads'));
}

test('A73 MaxOpenUploads ends them, plain uploads go on, and a day later nothing is left of them', async (context) => {
  const storeDir = join(folder, 'store');
  const settings = { Durability: 'none' };
  const first = await ServerProcess.start({ storeDir, settings });
  try {
    const residentBytes = first.residentBytes();
    assert.deepEqual(await createWithoutEnd(first), { 201: MAX_OPEN, 503: SURPLUS });
    assert.equal(await openUploads(first), MAX_OPEN);
    const growthBytes = first.residentBytes() - residentBytes;
    context.diagnostic(`${Math.round(growthBytes / 1024 / 1024)} MiB more resident`);
    assert.ok(growthBytes < MAX_GROWTH_BYTES, `${growthBytes} bytes more`);
    assert.equal((await put(first.port, first.signedTarget('plain', 5), 'plain')).status, 201);
  } finally {
    await first.stop();
  }

  const later = new FakeClock('+25h');
  const second = await ServerProcess.start({ storeDir, settings, environment: later.environment });
  try {
    await second.event('expiry.completed', PASS_TIMEOUT_MS);
    await eventually(() => uploadFiles(second).length === 0, 'nothing is left of them', PASS_TIMEOUT_MS);
    assert.equal(await openUploads(second), 0);
    await create(second, 'open-0', 3);
  } finally {
    await second.stop();
    later.remove();
  }
});

/** More creations than may be open, without a length. Resolves to how many were answered how. */
async function createWithoutEnd(limited: ServerProcess): Promise<Readonly<Record<string, number>>> {
  const statuses = new Map<number, number>();
  const fields = { ...VERSION, 'Upload-Defer-Length': '1' };
  await flood({
    port: limited.port,
    connections: CLIENTS,
    requests: MAX_OPEN + SURPLUS,
    requestOf: (index) => requestBytes('POST', slotWithSize(limited, `open-${index}`, 1_000), fields),
    judge: (answer) => {
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 503) assert.match(fieldOf(answer, 'retry-after') ?? '', /^[1-9]/);
    },
  });
  return Object.fromEntries(statuses);
}

test('A73 a length that is never set: no more bytes than signed, and no file', async () => {
  const fields = { ...VERSION, 'Upload-Defer-Length': '1' };
  const path = locationOf(await post(server, slotWithSize(server, 'never-set', 1_000), fields));
  assert.equal((await patch(server, path, 0, Buffer.alloc(1_000))).status, 204);
  assertRefused(await patch(server, path, 1_000, 'x'), 413);
  for (const length of ['999', '1001', '1000000000000']) {
    const refused = await patch(server, path, 1_000, '', { 'Upload-Length': length });
    assert.ok([400, 403, 413].includes(refused.status), `${length}: ${refused.status}`);
  }
  assert.equal(await offsetOf(server, path), 1_000);
  await assertNotStored(server, 'never-set');
  assertRefused(await post(server, slotWithSize(server, 'never-set-large', 1_000_001), fields), 413);
});

test('A73 2,000 appends of one byte cost the same at the end as at the beginning, and leave one file', async (context) => {
  const body = content('byte by byte', 2_000);
  const path = await create(server, 'bytes', body.length);
  const [files, descriptors] = [uploadFiles(server).length, server.openDescriptors()];
  const connection = await RawConnection.open(server.port);
  const times: number[] = [];
  try {
    for (let offset = 0; offset < body.length; offset += 1) {
      const startedMs = performance.now();
      await connection.send(patchBytes(path, appendFields(offset), body.subarray(offset, offset + 1)));
      assert.equal((await connection.finalResponse()).status, 204);
      times.push(performance.now() - startedMs);
      if (offset !== body.length / 2) continue;
      assert.equal(uploadFiles(server).length, files);
      assert.ok(server.openDescriptors() <= descriptors + 10);
    }
  } finally {
    connection.drop();
  }
  await assertStored(server, 'bytes', body);
  const [early, late] = [median(times.slice(0, 500)), median(times.slice(-500))];
  context.diagnostic(`median ${early.toFixed(2)} ms of the first 500, ${late.toFixed(2)} ms of the last`);
  assert.ok(late < 4 * early + 5, `${early} ms, then ${late} ms`);
});

test('A73 appends at another offset are 409 or 400, and change nothing', async () => {
  const path = await create(server, 'jumps', 1_000);
  assert.equal((await patch(server, path, 0, Buffer.alloc(100))).status, 204);
  for (const offset of [0, 99, 101, 999, 1_000, 1_001, 2 ** 31, 2 ** 53 - 1, '9223372036854775808']) {
    assertRefused(await patch(server, path, offset, 'x'), 409, String(offset));
  }
  for (const offset of ['-1', '1e2', '0x64', '100.0', ' ', '+100', '100,100', '9'.repeat(200)]) {
    assertRefused(await patch(server, path, offset, 'x'), 400, offset);
  }
  assert.equal(await offsetOf(server, path), 100);
});

test('A73 4 KB of metadata come back as they were sent; what no head can hold is 431', async () => {
  const metadata = `filename ${Buffer.alloc(3_000, 'é').toString('base64')}`;
  const path = await create(server, 'metadata', 10, { 'Upload-Metadata': metadata });
  assert.equal(fieldOf(await head(server, path), 'upload-metadata'), metadata);
  const pairs = Array.from({ length: 1_000 }, (_, index) => `k${index}`).join(',');
  assert.equal(
    fieldOf(await head(server, await create(server, 'pairs', 10, { 'Upload-Metadata': pairs })), 'upload-metadata'),
    pairs,
  );
  const fields = { ...VERSION, 'Upload-Length': '10', 'Upload-Metadata': `filename ${'YWFh'.repeat(10_000)}` };
  await assertTooLong(post(server, server.signedTarget('head', 10), fields));
});

async function createPart(key: string, size: number): Promise<RawResponse> {
  const fields = { ...VERSION, 'Upload-Concat': 'partial', 'Upload-Length': '1' };
  return await post(server, slotWithSize(server, key, size), fields);
}

test('A73 a slot has 16 parts at most, and more are 503', async () => {
  for (let part = 0; part < 16; part += 1) locationOf(await createPart('parts', 10_000));
  const open = await openUploads(server);
  for (let part = 0; part < 100; part += 1) assertRefused(await createPart('parts', 10_000), 503);
  assert.equal(await openUploads(server), open);
});

test('A73 10,000 parts in one list are 431; as many as a head holds are the signed size, or refused', async () => {
  const path = locationOf(await createPart('lists', 10_000));
  assert.equal((await patch(server, path, 0, 'x')).status, 204);
  const concatenate = (count: number, size: number): Promise<RawResponse> => {
    const list = { 'Upload-Concat': `final;${Array.from({ length: count }, () => path).join(' ')}` };
    return post(server, slotWithSize(server, `list-${count}`, size), { ...VERSION, ...list });
  };
  await assertTooLong(concatenate(10_000, 10_000));
  assertRefused(await concatenate(150, 10_000), 403);
  assert.equal((await concatenate(150, 150)).status, 201);
  await assertStored(server, 'list-150', Buffer.alloc(150, 'x'));
});

test('A73 MaxUploadsPerAddress counts appends that hang: more of them, and creations, are 429', async () => {
  const limited = await ServerProcess.start({ settings: { MaxUploadsPerAddress: 3 } });
  const held: RawConnection[] = [];
  try {
    const other = await create(limited, 'other', 10);
    const slot = limited.signedTarget('more', 1);
    for (let index = 0; index < 3; index += 1) {
      const path = await create(limited, `held-${index}`, 1_000);
      const connection = await RawConnection.open(limited.port);
      held.push(connection);
      const bytes = patchBytes(path, appendFields(0), Buffer.alloc(1_000));
      await connection.send(bytes.subarray(0, bytes.length - 500));
      await uploadHas(limited, path, 500);
    }
    for (const refused of [await patch(limited, other, 0, 'x'), await post(limited, slot, VERSION)]) {
      assert.equal(refused.status, 429);
      assert.match(fieldOf(refused, 'retry-after') ?? '', /^[1-9]/);
    }
  } finally {
    for (const connection of held) connection.drop();
    await limited.stop();
  }
});

/** The transport takes no head of that size, and closes: the reset may overtake its answer, as more is being sent. */
async function assertTooLong(answer: Promise<RawResponse>): Promise<void> {
  const outcome = await answer.then(({ status }) => String(status), String);
  assert.match(outcome, /^(?:431$|Error: closed before a response)/);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
