/** Real tus-js-client in its modes for the IETF draft: interop versions 5 and 6. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HttpRequest, UploadOptions } from 'tus-js-client';
import { assertStored } from '../support/draft-wire.ts';
import { content } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { uploadByTus } from '../support/tus-js.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 2_000_000;
const BODY = content('draft-client', SIZE);
const CHUNK = 512 * 1024;
const CUT_AFTER = 900_000;

/** `protocol` is missing from the client's types. */
interface DraftOptions extends Partial<UploadOptions> {
  readonly protocol: 'ietf-draft-03' | 'ietf-draft-05';
}

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

/** Uploads with the client, and resolves to the methods of its requests. */
async function uploaded(key: string, options: DraftOptions): Promise<string> {
  const methods: string[] = [];
  const onBeforeRequest = (request: HttpRequest): void => void methods.push(request.getMethod());
  await uploadByTus(BODY, { endpoint: network.origin + server.signedTarget(key, SIZE), onBeforeRequest, ...options });
  await assertStored(server, key, BODY);
  return methods.join(' ');
}

for (const [row, protocol] of [
  ['I0-2', 'ietf-draft-03'],
  ['I0-3', 'ietf-draft-05'],
] as const) {
  test(`${row}.1 ${protocol}: a file in one piece`, async () => {
    assert.equal(await uploaded(`${row}.1`, { protocol }), 'POST PATCH');
  });

  test(`${row}.2 ${protocol}: a file in chunks`, async () => {
    assert.equal(await uploaded(`${row}.2`, { protocol, chunkSize: CHUNK }), 'POST PATCH PATCH PATCH PATCH');
  });

  test(`${row}.3 ${protocol}: a connection that is cut is gone on with by HEAD and PATCH`, async () => {
    const cut = network.cutAfter(CUT_AFTER);
    assert.equal(await uploaded(`${row}.3`, { protocol }), 'POST PATCH HEAD PATCH');
    await cut;
  });

  test(`${row}.4 ${protocol}: the data with the creation, whole and in chunks`, async () => {
    const options = { protocol, uploadDataDuringCreation: true } as const;
    assert.equal(await uploaded(`${row}.4-whole`, options), 'POST');
    assert.equal(await uploaded(`${row}.4-chunks`, { ...options, chunkSize: CHUNK }), 'POST PATCH PATCH PATCH');
  });
}
