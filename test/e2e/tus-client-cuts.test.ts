/**
 * Real tus-js-client through a network that cuts and freezes (resumable.md 3.2: C-7 to C-9, C-15, C-16).
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HttpRequest, UploadOptions } from 'tus-js-client';
import { content } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { MemoryUrlStorage, prepareUpload, uploadByTus } from '../support/tus-js.ts';
import { assertStored, remove } from '../support/tus-wire.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 3_000_000;
const BODY = content('tus-cuts', SIZE);
const CHUNK = 256 * 1024;

let server: ServerProcess;
let network: UnreliableNetwork;

before(async () => {
  server = await ServerProcess.start();
  network = await UnreliableNetwork.start(server);
});

after(async () => {
  await network.stop();
  await server.stop();
});

function endpointOf(key: string, size = SIZE): string {
  return network.origin + server.signedTarget(key, size);
}

function watched(methods: string[]): Pick<UploadOptions, 'onBeforeRequest'> {
  return { onBeforeRequest: (request: HttpRequest) => void methods.push(request.getMethod()) };
}

test('C-7 a connection that is cut once is gone on with by HEAD and PATCH', async () => {
  const seen: string[] = [];
  const cut = network.cutAfter(1_500_000);
  await uploadByTus(BODY, { endpoint: endpointOf('C-7'), ...watched(seen) });
  await cut;
  assert.deepEqual(seen, ['POST', 'PATCH', 'HEAD', 'PATCH']);
  await assertStored(server, 'C-7', BODY);
});

test('C-8 three cuts of an upload in chunks', async () => {
  const seen: string[] = [];
  const cuts = [600_000, 700_000, 500_000].map((bytes) => network.cutAfter(bytes));
  await uploadByTus(BODY, { endpoint: endpointOf('C-8'), chunkSize: CHUNK, ...watched(seen) });
  await Promise.all(cuts);
  assert.equal(seen.filter((method) => method === 'HEAD').length, 3);
  await assertStored(server, 'C-8', BODY);
});

test('C-9 an upload that was aborted is resumed later, above 0', async () => {
  const urlStorage = new MemoryUrlStorage();
  const options = { endpoint: endpointOf('C-9'), chunkSize: CHUNK, urlStorage, fingerprint: async () => 'C-9' };
  await new Promise<void>((resolve) => {
    const { upload } = prepareUpload(BODY, {
      ...options,
      onChunkComplete: (_, sent) => {
        if (sent >= 2 * CHUNK) void upload.abort().then(resolve);
      },
    });
    upload.start();
  });
  const seen: string[] = [];
  let first: number | null = null;
  const onProgress = (sent: number): void => {
    first ??= sent;
  };
  const { upload, done } = prepareUpload(BODY, { ...options, ...watched(seen), onProgress });
  const [previous] = await upload.findPreviousUploads();
  assert.ok(previous !== undefined);
  upload.resumeFromPreviousUpload(previous);
  upload.start();
  await done;
  assert.equal(seen[0], 'HEAD');
  assert.ok(!seen.includes('POST'));
  assert.ok((first ?? 0) >= 2 * CHUNK, `first progress ${first}`);
  await assertStored(server, 'C-9', BODY);
});

test('C-15 an upload whose network has frozen is taken over by a second client', async () => {
  const frozen = network.freezeAfter(1_500_000);
  const first = prepareUpload(BODY, { endpoint: endpointOf('C-15'), retryDelays: null });
  first.done.catch(() => {});
  first.upload.start();
  await frozen;
  const path = new URL(first.upload.url ?? '').pathname;
  let from: number | null = null;
  const onProgress = (sent: number): void => {
    from ??= sent;
  };
  await uploadByTus(BODY, { uploadUrl: server.origin + path, onProgress });
  assert.ok((from ?? 0) > 0, 'what had arrived was kept');
  await first.upload.abort();
  await assertStored(server, 'C-15', BODY);
});

test('C-16 an upload that is lost is created anew', async () => {
  const seen: string[] = [];
  const { upload, done } = prepareUpload(BODY, {
    endpoint: endpointOf('C-16'),
    chunkSize: CHUNK,
    ...watched(seen),
    onChunkComplete: (_, sent) => {
      if (sent === 2 * CHUNK && upload.url !== null && !isLost) void forget(new URL(upload.url).pathname);
    },
  });
  let isLost = false;
  const forget = async (path: string): Promise<void> => {
    isLost = true;
    await upload.abort();
    await remove(server, path);
    upload.start();
  };
  upload.start();
  await done;
  assert.equal(seen.filter((method) => method === 'POST').length, 2);
  assert.ok(seen.includes('HEAD'));
  await assertStored(server, 'C-16', BODY);
});
