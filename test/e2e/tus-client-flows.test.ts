/** Real tus-js-client against the built server: ways to send a file (resumable.md 3.2: C-1 to C-6, C-10 to C-14). */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { type HttpRequest, Upload, type UploadOptions } from 'tus-js-client';
import { content } from '../support/paced-transfer.ts';
import { fieldOf } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { prepareUpload, uploadByTus } from '../support/tus-js.ts';
import { assertNotStored, assertStored, head, slotWithSize } from '../support/tus-wire.ts';

const SIZE = 1024 * 1024;
const BODY = content('tus-client', SIZE);
const CHUNK = 256 * 1024;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function endpointOf(key: string, size = SIZE): string {
  return server.origin + slotWithSize(server, key, size);
}

/** Methods of the requests that the client makes. */
function watched(methods: string[]): Pick<UploadOptions, 'onBeforeRequest'> {
  return { onBeforeRequest: (request: HttpRequest) => void methods.push(request.getMethod()) };
}

const flows: Readonly<Record<string, { readonly options: Partial<UploadOptions>; readonly methods: string }>> = {
  'C-1 a file in one PATCH': { options: {}, methods: 'POST PATCH' },
  'C-2 a file in chunks': { options: { chunkSize: CHUNK }, methods: 'POST PATCH PATCH PATCH PATCH' },
  'C-3 a file with its creation': { options: { uploadDataDuringCreation: true }, methods: 'POST' },
  'C-4 chunks, the first with the creation': {
    options: { uploadDataDuringCreation: true, chunkSize: CHUNK },
    methods: 'POST PATCH PATCH PATCH',
  },
  'C-10 POST instead of PATCH': { options: { overridePatchMethod: true }, methods: 'POST POST' },
  'C-14 request ids and fields of its own': {
    options: { addRequestId: true, headers: { 'X-Custom': 'yes' } },
    methods: 'POST PATCH',
  },
};

for (const [row, { options, methods }] of Object.entries(flows)) {
  test(row, async () => {
    const key = row.split(' ')[0] ?? '';
    const seen: string[] = [];
    await uploadByTus(BODY, { endpoint: endpointOf(key), ...options, ...watched(seen) });
    assert.equal(seen.join(' '), methods);
    await assertStored(server, key, BODY);
  });
}

test('C-5 a stream of unknown length', async () => {
  // The client waits for ever at the end of a stream that ends with a full chunk.
  const body = BODY.subarray(0, SIZE - 1_000);
  const pieces = Array.from({ length: 16 }, (_, n) => body.subarray((n * SIZE) / 16, ((n + 1) * SIZE) / 16));
  const options = { uploadLengthDeferred: true, chunkSize: CHUNK };
  const stream = Readable.from(pieces, { objectMode: false });
  await uploadByTus(stream, { endpoint: endpointOf('C-5', body.length), ...options });
  await assertStored(server, 'C-5', body);
});

test('C-6 an empty file is done after the POST', async () => {
  const seen: string[] = [];
  await uploadByTus(Buffer.alloc(0), { endpoint: endpointOf('C-6', 0), ...watched(seen) });
  assert.deepEqual(seen, ['POST']);
  await assertStored(server, 'C-6', Buffer.alloc(0));
});

/** Starts an upload in chunks and resolves to it when the first has arrived. */
async function begun(key: string): Promise<Upload> {
  const flow: { upload: Upload | null } = { upload: null };
  await new Promise<void>((resolve, reject) => {
    const { upload, done } = prepareUpload(BODY, {
      endpoint: endpointOf(key),
      chunkSize: CHUNK,
      onChunkComplete: () => resolve(),
    });
    done.catch(reject);
    flow.upload = upload;
    upload.start();
  });
  if (flow.upload === null) throw new Error('not started');
  return flow.upload;
}

test('C-11 abort with termination, and terminate, discard the upload', async () => {
  const aborted = await begun('C-11-abort');
  const path = new URL(aborted.url ?? '').pathname;
  await aborted.abort(true);
  assert.equal((await head(server, path)).status, 404);
  const left = await begun('C-11-terminate');
  await left.abort();
  await Upload.terminate(left.url ?? '', { retryDelays: [0, 100] });
  assert.equal((await head(server, new URL(left.url ?? '').pathname)).status, 404);
  await assertNotStored(server, 'C-11-abort');
  await assertNotStored(server, 'C-11-terminate');
});

test('C-12 three parts at the same time', async () => {
  const seen: string[] = [];
  await uploadByTus(BODY, { endpoint: endpointOf('C-12'), parallelUploads: 3, ...watched(seen) });
  assert.equal(seen.filter((method) => method === 'POST').length, 4);
  await assertStored(server, 'C-12', BODY);
});

test('C-13 metadata with names in UTF-8', async () => {
  const metadata = { filename: 'Grüße 😀.bin', filetype: 'application/x-test', note: '' };
  const upload = await uploadByTus(BODY, { endpoint: endpointOf('C-13'), metadata });
  await assertStored(server, 'C-13', BODY);
  const field = fieldOf(await head(server, new URL(upload.url ?? '').pathname), 'upload-metadata') ?? '';
  const name =
    field
      .split(',')
      .find((pair) => pair.startsWith('filename '))
      ?.slice('filename '.length) ?? '';
  assert.equal(Buffer.from(name, 'base64').toString(), metadata.filename);
});
