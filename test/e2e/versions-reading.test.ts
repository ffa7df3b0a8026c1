/** Reading a file while it is replaced again and again: every answer is one content, whole, and named by its ETag. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { put, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

const READERS = 8;
/** Below and above what is answered from memory, and more than a lane sends in one piece. */
const SIZES = [2_000, 60_000, 1_500_000];

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({
    settings: { EnableVersioning: true, MaxVersions: 2, LogLevel: 'info', Durability: 'none' },
  });
});

after(() => server.stop());

/** A content that is one number again and again: a mixture of two would show. */
function numbered(index: number, size: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(size);
  for (let offset = 0; offset + 4 <= size; offset += 4) bytes.writeUInt32LE(index, offset);
  return bytes;
}

/** The number of which all bytes from `first` on are made. Rejects a mixture. */
function numberIn(body: Buffer, first: number): number {
  const skipped = (4 - (first % 4)) % 4;
  const number = body.readUInt32LE(skipped);
  for (let offset = skipped; offset + 4 <= body.length; offset += 4) {
    if (body.readUInt32LE(offset) !== number) assert.fail(`two contents in one answer, at ${first + offset}`);
  }
  return number;
}

interface Reading {
  readonly etag: string;
  readonly number: number;
}

async function readOnce(url: string, size: number, count: number): Promise<Reading> {
  const first = count % 3 === 0 ? 0 : Math.floor(size / 3) + (count % 7);
  const headers: Record<string, string> = first === 0 ? {} : { Range: `bytes=${first}-` };
  const response = await fetch(url, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, first === 0 ? 200 : 206);
  assert.equal(body.length, size - first);
  return { etag: response.headers.get('etag') ?? '', number: numberIn(body, first) };
}

for (const size of SIZES) {
  test(`F76 ${size} bytes, replaced while they are read, are never mixed and always belong to their ETag`, async () => {
    const key = `f76/${size}`;
    const url = urlOf(server, key);
    const reads = size > 1_000_000 ? 400 : 2_500;
    const contents = new Map<string, number>();
    let acknowledged = 0;
    let isReading = true;
    assert.equal(await put(server, key, numbered(0, size)), 201);
    const writing = (async () => {
      for (let index = 1; isReading; index += 1) {
        assert.equal(await put(server, key, numbered(index, size)), 201);
        acknowledged = index;
      }
    })();
    let count = 0;
    const reader = async (): Promise<void> => {
      while (count < reads) {
        count += 1;
        const before = acknowledged;
        const { etag, number } = await readOnce(url, size, count);
        assert.ok(number >= before, `content ${number} after ${before} was acknowledged`);
        assert.equal(contents.get(etag) ?? number, number, 'one ETag for two contents');
        contents.set(etag, number);
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader)).finally(() => {
      isReading = false;
    });
    await writing;
    assert.ok(acknowledged > 20, `replaced ${acknowledged} times`);
    assert.equal(new Set(contents.values()).size, contents.size, 'one content with two ETags');
  });
}
