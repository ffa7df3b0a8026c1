/**
 * What every proxy must let through of resumable uploads (docs/resumable.md): the offset that a cut leaves, statuses that
 * proxies know little of, and URLs that clients find their way back with.
 */

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DefaultHttpStack, type UploadOptions } from 'tus-js-client';
import { appendBytes, creationBytes, saysComplete, VERSIONS } from '../../support/draft-wire.ts';
import { content } from '../../support/paced-transfer.ts';
import { fieldOf, type RawConnection, type RawResponse } from '../../support/raw-http.ts';
import { eventually } from '../../support/store-state.ts';
import { uploadByTus } from '../../support/tus-js.ts';
import { appendFields, checksumOf, locationOf, slotWithSize, VERSION } from '../../support/tus-wire.ts';
import { UnreliableNetwork } from '../../support/unreliable-network.ts';
import { SERVER_NAME } from './certificate.ts';
import { Edge, type EdgeOptions } from './edge.ts';

const SIZE = 3_000_000;
const BODY = content('resumable', SIZE);
const HALF = SIZE / 2;
/** Of half a body; as much as the difference may be under way in the proxy and in the server. */
const LEAST_KEPT = HALF - 256 * 1024;
const ARRIVAL_MS = 5_000;
/** So slow that nothing but that is under way when the client comes back at once. */
const BYTES_PER_MS = 20_000;
const PUBLIC_ORIGIN = `https://${SERVER_NAME}`;

/** Declares the tests for one proxy. */
export function testResumableUploads(options: EdgeOptions, current: () => Edge): void {
  testCuts(current);
  testStatuses(current);
  testDraft(current);
  testTusClient('uploads go on by the path in Location', current, /^\/files\/\.hfs\/u\//);
  testPublicOrigin(options);
}

function testCuts(current: () => Edge): void {
  test('what a client had sent when it was cut off is kept, but for what was under way', async () => {
    const edge = current();
    const path = await createByTus(edge, 'cut.bin');
    const connection = await hang(edge, path);
    connection.drop();
    await finish(edge, path, 'cut.bin');
  });

  test('an upload on a connection that hangs is taken over', async () => {
    const edge = current();
    const path = await createByTus(edge, 'hanging.bin');
    const connection = await hang(edge, path);
    await finish(edge, path, 'hanging.bin');
    connection.drop();
  });
}

function testStatuses(current: () => Edge): void {
  test('a PUT in two parts: 308 with what is there, then 201', async () => {
    const edge = current();
    const target = edge.server.signedTarget('parts.bin', SIZE);
    const put = (range: string, part: Uint8Array): Promise<RawResponse> =>
      edge.exchange(edge.request('PUT', target, { 'Content-Range': `bytes ${range}/${SIZE}` }, part));
    for (const first of [await put(`0-${HALF - 1}`, BODY.subarray(0, HALF)), await put('*', Buffer.alloc(0))]) {
      assert.deepEqual([first.status, fieldOf(first, 'range')], [308, `bytes=0-${HALF - 1}`]);
    }
    const elsewhere = await put(`9-${HALF - 1}`, BODY.subarray(9, HALF));
    assert.deepEqual([elsewhere.status, fieldOf(elsewhere, 'range')], [409, `bytes=0-${HALF - 1}`]);
    assert.equal((await put(`${HALF}-${SIZE - 1}`, BODY.subarray(HALF))).status, 201);
    await assertStored(edge, 'parts.bin');
  });

  test('refusals of tus come through: 409 with the offset, 460, 412 with the versions, 404', async () => {
    const edge = current();
    const path = await createByTus(edge, 'refusals.bin');
    const conflict = await patch(edge, path, 7, BODY.subarray(7));
    assert.deepEqual([conflict.status, fieldOf(conflict, 'upload-offset')], [409, '0']);
    const other = { 'Upload-Checksum': checksumOf('sha1', BODY.subarray(1)) };
    const mismatch = await patch(edge, path, 0, BODY, other);
    assert.equal(mismatch.status, 460);
    assert.equal(fieldOf(mismatch, 'content-type'), 'application/problem+json');
    const version = await patch(edge, path, 0, BODY, { 'Tus-Resumable': '0.2.2' });
    assert.deepEqual([version.status, fieldOf(version, 'tus-version')], [412, '1.0.0']);
    assert.equal(await offsetOf(edge, path), 0);
    assert.equal((await edge.exchange(edge.request('DELETE', path, VERSION))).status, 204);
    assert.equal((await patch(edge, path, 0, BODY)).status, 404);
  });
}

function testDraft(current: () => Edge): void {
  test('appends of the IETF draft, in every version', async () => {
    const edge = current();
    const fields = { Host: SERVER_NAME };
    for (const version of VERSIONS) {
      const key = `draft-${version}.bin`;
      const creation = creationBytes(edge.server, version, key, { isComplete: false, size: SIZE, fields });
      const path = locationOf(await edge.exchange(creation));
      const append = (offset: number, end: number): Promise<RawResponse> => {
        const body = BODY.subarray(offset, end);
        return edge.exchange(appendBytes(version, path, { offset, isComplete: end === SIZE, body, fields }));
      };
      const first = await append(0, HALF);
      assert.deepEqual([fieldOf(first, 'upload-offset'), saysComplete(first, version)], [String(HALF), false]);
      const conflict = await append(7, SIZE);
      assert.deepEqual([conflict.status, fieldOf(conflict, 'upload-offset')], [409, String(HALF)]);
      const last = await append(HALF, SIZE);
      assert.deepEqual([last.status, saysComplete(last, version)], [200, true]);
      await assertStored(edge, key);
    }
  });
}

/** Needs a server of its own. */
function testPublicOrigin(options: EdgeOptions): void {
  describe('with PublicOrigin', () => {
    let edge: Edge;
    before(async () => {
      edge = await Edge.start(options, { PublicOrigin: PUBLIC_ORIGIN });
    });
    after(() => edge.stop());
    const absolute = /^https:\/\/files\.example\.org\/files\/\.hfs\/u\//;
    testTusClient('uploads go on by the absolute URL in Location', () => edge, absolute);
  });
}

/** Uploads by the real tus-js-client through a network that cuts it off on its way to the proxy. */
function testTusClient(title: string, current: () => Edge, location: RegExp): void {
  test(`tus-js-client: ${title}, after a cut`, async () => {
    const edge = current();
    const seen = await uploadThrough(edge, 'client.bin', {}, HALF);
    assert.deepEqual(seen.methods, ['POST', 'PATCH', 'HEAD', 'PATCH']);
    assert.match(seen.locations[0] ?? '', location);
    const [offset = 0] = seen.offsets;
    assert.ok(offset > 0 && offset < HALF, `gone on with at ${offset}`);
  });

  test(`tus-js-client: ${title}, in three parts at once`, async () => {
    const edge = current();
    const seen = await uploadThrough(edge, 'parallel.bin', { parallelUploads: 3 }, HALF);
    assert.equal(seen.methods.filter((method) => method === 'POST').length, 4);
    assert.ok(seen.methods.includes('HEAD'));
    assert.equal(seen.locations.length, 4);
    for (const url of seen.locations) assert.match(url, location);
  });
}

/** What a client said, and was told. */
interface Seen {
  readonly methods: string[];
  readonly locations: string[];
  /** Answers to HEAD. */
  readonly offsets: number[];
}

/** Uploads the body, with one cut; the client knows the proxy by its public name alone. */
async function uploadThrough(
  edge: Edge,
  key: string,
  options: Partial<UploadOptions>,
  cutAfter: number,
): Promise<Seen> {
  const seen: Seen = { methods: [], locations: [], offsets: [] };
  const network = await UnreliableNetwork.start(edge.proxy, BYTES_PER_MS);
  try {
    const cut = network.cutAfter(cutAfter);
    await uploadByTus(BODY, {
      endpoint: PUBLIC_ORIGIN + slotWithSize(edge.server, key, SIZE),
      httpStack: stackThrough(network, edge),
      onAfterResponse: (request, response) => {
        if (request.getMethod() === 'HEAD') seen.offsets.push(Number(response.getHeader('Upload-Offset')));
        const location = response.getHeader('Location');
        if (location !== undefined) seen.locations.push(location);
      },
      onBeforeRequest: (request) => {
        assert.ok(request.getURL().startsWith(`${PUBLIC_ORIGIN}/`), request.getURL());
        seen.methods.push(request.getMethod());
      },
      ...options,
    });
    await cut;
  } finally {
    await network.stop();
  }
  await assertStored(edge, key);
  return seen;
}

/** Requests to the public name go into this network; each has a connection of its own. */
function stackThrough({ port }: UnreliableNetwork, { proxy }: Edge): DefaultHttpStack {
  const tls = { servername: SERVER_NAME, ca: proxy.certificate.pem };
  const address = { host: '127.0.0.1', hostname: '127.0.0.1', port, headers: { Host: SERVER_NAME } };
  return new DefaultHttpStack({ ...tls, ...address, agent: false });
}

async function createByTus(edge: Edge, key: string): Promise<string> {
  const fields = { ...VERSION, 'Upload-Length': String(SIZE) };
  return locationOf(await edge.exchange(edge.request('POST', edge.server.signedTarget(key, SIZE), fields)));
}

function patch(
  edge: Edge,
  path: string,
  offset: number,
  body: Uint8Array,
  fields: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return edge.exchange(edge.request('PATCH', path, { ...appendFields(offset), ...fields }, body));
}

async function offsetOf(edge: Edge, path: string): Promise<number> {
  const answer = await edge.exchange(edge.request('HEAD', path, VERSION), true);
  assert.equal(answer.status, 200);
  return Number(fieldOf(answer, 'upload-offset'));
}

async function assertStored(edge: Edge, key: string): Promise<void> {
  assert.ok((await edge.get(key)).body.equals(BODY), `${key} has another content`);
}

/** Sends half of the body, and leaves the connection open. Resolves when the server has it, but for what is under way. */
async function hang(edge: Edge, path: string): Promise<RawConnection> {
  const before = unfinishedBytes(edge);
  const connection = await edge.connect();
  const request = edge.request('PATCH', path, appendFields(0), BODY);
  await connection.send(request.subarray(0, request.length - HALF));
  const isThere = (): boolean => unfinishedBytes(edge) >= before + LEAST_KEPT;
  await eventually(isThere, 'bytes on the disk before the body is complete', ARRIVAL_MS);
  return connection;
}

/** Goes on where a half body has ended, and asserts that the file arrives. */
async function finish(edge: Edge, path: string, key: string): Promise<void> {
  const offset = await offsetOf(edge, path);
  assert.ok(offset >= LEAST_KEPT && offset <= HALF, `offset ${offset}`);
  assert.equal((await patch(edge, path, offset, BODY.subarray(offset))).status, 204);
  await assertStored(edge, key);
}

/** Bytes in the server's own tree. */
function unfinishedBytes({ server }: Edge): number {
  const tree = join(server.storeDir, '.hfs');
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => {
    return sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
