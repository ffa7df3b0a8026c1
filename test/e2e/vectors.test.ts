/**
 * Signature vectors and slot URLs as real clients spell them, byte for byte over a socket. What is accepted is fetched
 * back by the same spelling; what is refused leaves nothing.
 */

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project-root.ts';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { type Exit, type LogLine, ServerProcess, type TomlSettings } from '../support/server-process.ts';
import { signV } from '../support/sign.ts';
import { clockAt } from '../support/standing-clock.ts';
import { publicTreeOf, settledTree } from '../support/store-state.ts';

interface Expectation {
  readonly result: 'accept' | 'reject';
  readonly status: number;
}

interface ServerSettings {
  readonly base: string;
  readonly secret: string;
  readonly previous_secrets?: readonly string[];
  readonly delete_secret?: string;
  readonly signed_path?: string;
  /** Unix time that the server's clock must show. */
  readonly now?: number;
}

interface Vector {
  readonly id: string;
  readonly scheme: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly content_length: string | null;
    readonly content_type: string | null;
    readonly authorization?: string;
  };
  readonly server: ServerSettings;
  readonly expect: Expectation;
  readonly expect_by_header_only?: Expectation;
}

interface Spelling {
  readonly server: ServerSettings;
  readonly content_length: string;
  readonly content_type: string;
  readonly seen: readonly { readonly client: string; readonly target: string; readonly expect: Expectation }[];
}

const file = JSON.parse(readFileSync(join(projectRoot, 'test/data/vectors/signatures.json'), 'utf8')) as {
  readonly vectors: readonly Vector[];
  readonly spellings: readonly Spelling[];
};

/** Larger bodies are not sent: their signature is judged when the head has arrived. */
const MAX_SENT_BYTES = 1_048_576;
/** A size of 16 digits: more than this server counts, so it is too large whatever was signed. */
const BEYOND_COUNTING = 'big-2^53+1';
/** Its type ends in a byte above 0x7f, which the transport cuts off before anybody sees it: what is left was not signed. */
const CUT_BY_TRANSPORT = 'v2-42';
/** A base path that a URL does not carry as it is: no server can be configured with it. */
const UNUSABLE_BASE = '/a b/ü/';

const refused: Expectation = { result: 'reject', status: 403 };

const puts = file.vectors.filter(({ scheme }) => scheme !== 'delete');
const deletions = file.vectors.filter(({ scheme }) => scheme === 'delete');

function settingsOf(server: ServerSettings): TomlSettings {
  return {
    UploadSubDir: usableBase(server.base),
    Secret: server.secret,
    PreviousSecrets: server.previous_secrets ?? [],
    DeleteSecret: server.delete_secret ?? '',
    SignedPath: server.signed_path ?? 'relative',
  };
}

function usableBase(base: string): string {
  return base === UNUSABLE_BASE ? '/files/' : base;
}

/** The target as it stands; below another base where the vector's own cannot be configured: it is not signed. */
function targetOf({ request: { target }, server: { base } }: Pick<Vector, 'request' | 'server'>): string {
  return usableBase(base) + target.slice(base.length);
}

async function withServer(
  server: ServerSettings,
  more: TomlSettings,
  run: (process: ServerProcess) => Promise<void>,
): Promise<Exit> {
  const settings = { ...settingsOf(server), ...more };
  const process = await ServerProcess.start({ settings, environment: clockAt(server.now) });
  try {
    await run(process);
  } finally {
    await process.stop();
  }
  return process.exited;
}

/** Vectors that one server can be asked about. */
function byServer<T extends { readonly server: ServerSettings }>(
  items: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = JSON.stringify(item.server);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
}

function typeField(contentType: string | null): Readonly<Record<string, string>> {
  return contentType === null ? {} : { 'Content-Type': contentType };
}

/** What a vector's request says beside its target. */
function fieldsOf({ request }: Vector): Readonly<Record<string, string>> {
  const { content_length: length, content_type: contentType, authorization } = request;
  const token = authorization === undefined ? {} : { Authorization: authorization };
  return { ...typeField(contentType), ...token, 'Content-Length': length ?? '' };
}

async function assertServedAndForget(server: ServerProcess, target: string, body: Buffer, name: string): Promise<void> {
  const path = target.slice(0, target.includes('?') ? target.indexOf('?') : target.length);
  const served = await get(server.port, path);
  assert.equal(served.status, 200, name);
  assert.equal(fieldOf(served, 'content-length'), String(body.length), name);
  assert.ok(served.body.equals(body), name);
  assert.equal(publicTreeOf(server.storeDir).filter((entry) => !entry.endsWith('/')).length, 1, name);
  // The next vector may name the same file.
  for (const entry of publicTreeOf(server.storeDir))
    rmSync(join(server.storeDir, entry), { recursive: true, force: true });
}

/** Sends a vector whole. */
async function assertSmall(server: ServerProcess, vector: Vector, expect: Expectation): Promise<void> {
  const target = targetOf(vector);
  const size = Number(vector.request.content_length);
  // A refused length has no body that could be sent.
  const body = Buffer.alloc(Math.max(size, 0), 'v');
  const response = await put(server.port, target, body, fieldsOf(vector));
  assert.equal(response.status, expect.status, vector.id);
  if (expect.result === 'accept') {
    assert.equal(response.body.length, 0, vector.id);
    await assertServedAndForget(server, target, body, vector.id);
  } else {
    await settledTree(server);
    assert.deepEqual(publicTreeOf(server.storeDir), [], vector.id);
  }
}

/** The line about this request: after the others, and with this size. */
function lineSince(server: ServerProcess, mark: number, size: number): (line: LogLine) => boolean {
  return (line) => line['size_bytes'] === size && server.lines.indexOf(line) >= mark;
}

/**
 * Sends the head of a vector that is too large to be sent. It is either being received, until it is cut here, or refused
 * for want of room, which is only said to somebody whose signature is right.
 */
async function assertLarge(server: ServerProcess, vector: Vector, expect: Expectation): Promise<void> {
  const { content_length: length } = vector.request;
  const mark = server.lines.length;
  const connection = await RawConnection.open(server.port);
  await connection.send(requestBytes('PUT', targetOf(vector), fieldsOf(vector)));
  const created = server.event('upload.created', 10_000, lineSince(server, mark, Number(length)));
  created.catch(() => {});
  const outcome: RawResponse | LogLine = await Promise.race([connection.response(), created]);
  const status = 'fields' in outcome ? outcome.status : 201;
  connection.drop();
  if (vector.id === BEYOND_COUNTING) assert.equal(status, 413);
  else if (expect.result === 'accept') assert.ok(status === 201 || status === 507, `${vector.id} ${status}`);
  else assert.equal(status, expect.status, vector.id);
  await settledTree(server);
  assert.deepEqual(publicTreeOf(server.storeDir), [], vector.id);
}

async function assertVector(server: ServerProcess, vector: Vector, expect: Expectation): Promise<void> {
  const isLarge = Number(vector.request.content_length) > MAX_SENT_BYTES;
  await (isLarge ? assertLarge : assertSmall)(server, vector, expect);
}

test('there are 187 vectors of uploads and 4 of deletions', () => {
  assert.deepEqual([puts.length, deletions.length], [187, 4]);
});

for (const [name, vectors] of byServer(puts)) {
  test(`${vectors.length} signature vectors are answered as expected by a server with ${name}`, async () => {
    const [{ server } = { server: undefined }] = vectors;
    assert.ok(server !== undefined);
    await withServer(server, {}, async (process) => {
      for (const vector of vectors) {
        await assertVector(process, vector, vector.id === CUT_BY_TRANSPORT ? refused : vector.expect);
      }
    });
  });
}

test('a server with TypeByExtension = false refuses the vectors that verify by the extension alone', async () => {
  const vectors = puts.filter(({ expect_by_header_only: expect }) => expect !== undefined);
  assert.ok(vectors.length > 0);
  for (const group of byServer(vectors).values()) {
    const [{ server } = { server: undefined }] = group;
    assert.ok(server !== undefined);
    await withServer(server, { TypeByExtension: false }, async (process) => {
      for (const vector of group) await assertVector(process, vector, vector.expect_by_header_only ?? vector.expect);
    });
  }
});

test('4 vectors of deletions are answered as expected, and remove the file or leave it', async () => {
  for (const vector of deletions) {
    await withServer(vector.server, {}, async (process) => {
      const { base, secret } = vector.server;
      const target = targetOf(vector);
      const path = target.slice(0, target.indexOf('?'));
      const mac = signV(secret, decodeURIComponent(path.slice(base.length)), 5);
      assert.equal((await put(process.port, `${path}?v=${mac}`, 'there')).status, 201, vector.id);
      const response = await exchange(process.port, requestBytes('DELETE', target));
      assert.equal(response.status, vector.expect.status, vector.id);
      const served = await get(process.port, path);
      assert.equal(served.status, vector.expect.result === 'accept' ? 404 : 200, vector.id);
    });
  }
});

test('81 spellings of slot URLs by HTTP libraries are answered as expected and fetched by the same spelling', async () => {
  let count = 0;
  for (const group of byServer(file.spellings).values()) {
    const [{ server } = { server: undefined }] = group;
    assert.ok(server !== undefined);
    await withServer(server, {}, async (process) => {
      for (const { content_length: length, content_type: contentType, seen } of group) {
        for (const { client, target, expect } of seen) {
          const body = Buffer.alloc(Number(length), 's');
          const response = await put(process.port, target, body, typeField(contentType));
          assert.equal(response.status, expect.status, `${target} by ${client}`);
          if (expect.result === 'accept') await assertServedAndForget(process, target, body, target);
          count += 1;
        }
      }
    });
  }
  assert.equal(count, 81);
});
