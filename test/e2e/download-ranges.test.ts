/** Ranges on the wire (RFC 9110 §14): every answer is compared with the bytes that were asked for. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content, sha256, store } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('ranges', 10_000);
const SIZE = FILE.length;
/** The server moves files in buffers of this length. */
const BUFFER = 512 * 1024;
const LARGE = content('large ranges', 5 * 1024 * 1024 + 123);

let server: ServerProcess;
let url: string;
let largeUrl: string;

before(async () => {
  server = await ServerProcess.start();
  url = await store(server, 'ranges/file.bin', FILE);
  largeUrl = await store(server, 'ranges/large.bin', LARGE);
});

after(() => server.stop());

interface Part {
  readonly status: number;
  readonly contentRange: string | null;
  readonly body: Buffer;
}

async function get(target: string, range: string, method = 'GET'): Promise<Part> {
  const response = await fetch(target, { method, headers: { Range: range } });
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get('content-length'), String(method === 'HEAD' ? SIZE : body.length));
  return { status: response.status, contentRange: response.headers.get('content-range'), body };
}

function isPart(part: Part, file: Buffer, first: number, last: number): void {
  assert.equal(part.status, 206);
  assert.equal(part.contentRange, `bytes ${first}-${last}/${file.length}`);
  assert.ok(part.body.equals(file.subarray(first, last + 1)), `bytes ${first}-${last}`);
}

function isWhole(part: Part, file: Buffer): void {
  assert.equal(part.status, 200);
  assert.equal(part.contentRange, null);
  assert.ok(part.body.equals(file));
}

const satisfiable: readonly (readonly [id: string, range: string, first: number, last: number, source: string])[] = [
  ['D-6', 'bytes=0-0', 0, 0, 'RFC 9110 §14.1.2'],
  ['D-7', 'bytes=100-199', 100, 199, 'RFC 9110 §15.3.7'],
  ['D-8', 'bytes=5000-', 5000, SIZE - 1, 'RFC 9110 §14.1.2'],
  ['D-9', 'bytes=0-', 0, SIZE - 1, 'RFC 9110 §14.1.2'],
  ['D-10', 'bytes=0-1', 0, 1, 'Safari wants two bytes and the total'],
  ['D-11', 'bytes=-500', SIZE - 500, SIZE - 1, 'RFC 9110 §14.1.2'],
  ['D-12', 'bytes=-50000', 0, SIZE - 1, 'RFC 9110 §14.1.2'],
  ['D-13', 'bytes=9990-99999', 9990, SIZE - 1, 'RFC 9110 §14.1.2'],
  ['D-18.1', 'bytes=0-18446744073709551615', 0, SIZE - 1, 'no number wraps'],
  ['D-18.2', 'bytes=5-18446744073709551616', 5, SIZE - 1, 'no number wraps'],
  ['D-18.3', 'bytes=-18446744073709551621', 0, SIZE - 1, 'no number wraps'],
  ['D-21', 'bytes=0-9, 20000-', 0, 9, 'one of two is satisfiable: RFC 9110 §15.3.7'],
];

for (const [id, range, first, last, source] of satisfiable) {
  test(`${id} ${range} answers 206 with exactly its bytes (${source})`, async () => {
    isPart(await get(url, range), FILE, first, last);
  });
}

const unsatisfiable = [
  ['D-14', `bytes=${SIZE}-`],
  ['D-15', 'bytes=-0'],
  ['D-18.4', 'bytes=18446744073709551615-'],
  ['D-18.5', 'bytes=18446744073709551621-18446744073709551630'],
] as const;

for (const [id, range] of unsatisfiable) {
  test(`${id} ${range} answers 416 with the length of the file (RFC 9110 §15.5.17)`, async () => {
    const answer = await get(url, range);
    assert.equal(answer.status, 416);
    assert.equal(answer.contentRange, `bytes */${SIZE}`);
  });
}

const ignored = [
  ['D-16.1', 'bytes=5-2'],
  ['D-16.2', 'bytes=abc'],
  ['D-16.3', 'bytes='],
  ['D-16.4', 'bytes=1'],
  ['D-16.5', 'bytes 0-5'],
  ['D-16.6', 'bytes=--5'],
  ['D-16.7', 'bytes=0-5-9'],
  ['D-17', 'items=0-5'],
  ['A55.1', `bytes=${Array(1000).fill('0-0').join(',')}`],
  ['A55.2', 'bytes=0-, 0-'],
  ['A55.3', 'bytes=-9223372036854775808-1'],
] as const;

for (const [id, range] of ignored) {
  test(`${id} ${range.slice(0, 40)} is no range: 200 with the whole file (RFC 9110 §14.2)`, async () => {
    isWhole(await get(url, range), FILE);
  });
}

test('D-19 Range on HEAD is ignored (RFC 9110 §14.2)', async () => {
  const answer = await get(url, 'bytes=0-9', 'HEAD');
  assert.deepEqual([answer.status, answer.contentRange], [200, null]);
});

test('D-22 200 overlapping ranges send at most twice the size, quickly (RFC 9110 §17.15)', async () => {
  const started = performance.now();
  const answer = await get(largeUrl, `bytes=${Array(200).fill('0-').join(',')}`);
  assert.ok(answer.body.length <= 2 * LARGE.length);
  isWhole(answer, LARGE);
  assert.ok(performance.now() - started < 3_000);
});

/** Takes a multipart/byteranges body to pieces, with nothing left over (RFC 9110 §14.6). */
function partsOf(body: Buffer, boundary: string): readonly (readonly [head: string, bytes: Buffer])[] {
  const parts: (readonly [string, Buffer])[] = [];
  const delimiter = `--${boundary}\r\n`;
  let at = 0;
  assert.equal(body.toString('latin1', 0, delimiter.length), delimiter);
  for (;;) {
    const headAt = at + delimiter.length;
    const bodyAt = body.indexOf('\r\n\r\n', headAt) + 4;
    const head = body.toString('latin1', headAt, bodyAt - 4);
    const [, first, last] = /^Content-Range: bytes (\d+)-(\d+)\/\d+$/im.exec(head) ?? [];
    const end = bodyAt + Number(last) - Number(first) + 1;
    parts.push([head, body.subarray(bodyAt, end)]);
    if (body.toString('latin1', end) === `\r\n--${boundary}--\r\n`) return parts;
    at = end + 2;
    assert.equal(body.toString('latin1', end, at + delimiter.length), `\r\n${delimiter}`);
  }
}

async function hasParts(target: string, file: Buffer, ranges: readonly (readonly [number, number])[]): Promise<void> {
  const range = `bytes=${ranges.map(([first, last]) => `${first}-${last}`).join(', ')}`;
  const response = await fetch(target, { headers: { Range: range } });
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 206);
  assert.equal(response.headers.get('content-range'), null);
  assert.equal(response.headers.get('content-length'), String(body.length));
  const [, boundary = ''] =
    /^multipart\/byteranges; boundary=([A-Za-z0-9]{1,70})$/.exec(response.headers.get('content-type') ?? '') ?? [];
  const parts = partsOf(body, boundary);
  assert.equal(parts.length, ranges.length);
  for (const [index, [first, last]] of ranges.entries()) {
    const [head, bytes] = parts[index] ?? ['', Buffer.alloc(0)];
    assert.equal(
      head,
      `Content-Type: application/octet-stream\r\nContent-Range: bytes ${first}-${last}/${file.length}`,
    );
    assert.ok(bytes.equals(file.subarray(first, last + 1)), `part ${first}-${last}`);
  }
}

test('D-20 two ranges answer multipart/byteranges with exactly their parts (RFC 9110 §14.6, §15.3.7.2)', () =>
  hasParts(url, FILE, [
    [0, 99],
    [9_000, 9_099],
  ]));

test('ranges out of order and overlapping keep the order of the request (RFC 9110 §14.2)', () =>
  hasParts(url, FILE, [
    [9_999, 9_999],
    [0, 1_000],
    [500, 600],
  ]));

test('eight ranges across the buffers of a large file come byte for byte, in any order', () =>
  hasParts(largeUrl, LARGE, [
    [BUFFER - 1, BUFFER],
    [0, 0],
    [3 * BUFFER - 1_000, 5 * BUFFER + 1_000],
    [2 * BUFFER, 2 * BUFFER],
    [LARGE.length - 1, LARGE.length - 1],
    [BUFFER, 2 * BUFFER - 1],
    [7, 100_000],
    [9 * BUFFER + 5, LARGE.length - 2],
  ]));

test('ranges around every buffer boundary of a large file are exact', async () => {
  for (let boundary = BUFFER; boundary < LARGE.length; boundary += 3 * BUFFER) {
    for (const [first, last] of [
      [boundary - 1, boundary - 1],
      [boundary - 1, boundary],
      [boundary, boundary],
      [boundary - BUFFER, boundary - 1],
      [boundary - 5, boundary + BUFFER + 5],
      [boundary + 1, LARGE.length - 1],
    ] as const) {
      const end = Math.min(last, LARGE.length - 1);
      isPart(await get(largeUrl, `bytes=${first}-${last}`), LARGE, first, end);
    }
  }
  isPart(await get(largeUrl, 'bytes=-1'), LARGE, LARGE.length - 1, LARGE.length - 1);
  isPart(await get(largeUrl, `bytes=-${BUFFER + 1}`), LARGE, LARGE.length - BUFFER - 1, LARGE.length - 1);
});

test('D-37 Accept-Encoding: gzip with Range answers identity bytes (RFC 9110 §8.4)', async () => {
  const response = await fetch(url, { headers: { Range: 'bytes=0-99', 'Accept-Encoding': 'gzip' } });
  assert.equal(response.headers.get('content-encoding'), null);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(FILE.subarray(0, 100)));
});

test('D-38 four parallel segments rebuild the file, as aria2 asks for them', async () => {
  const quarter = Math.ceil(LARGE.length / 4);
  const segments = await Promise.all(
    [0, 1, 2, 3].map((index) => get(largeUrl, `bytes=${index * quarter}-${(index + 1) * quarter - 1}`)),
  );
  assert.equal(sha256(Buffer.concat(segments.map(({ body }) => body))), sha256(LARGE));
});

test('ResumableDownloadsEnabled = false ignores Range and keeps validators and HEAD', async () => {
  const plain = await ServerProcess.start({ settings: { ResumableDownloadsEnabled: false } });
  try {
    const target = await store(plain, 'file.bin', FILE);
    isWhole(await get(target, 'bytes=0-9'), FILE);
    isWhole(await get(target, `bytes=${SIZE}-`), FILE);
    isWhole(await get(target, 'bytes=0-9, 20-29'), FILE);
    const head = await fetch(target, { method: 'HEAD' });
    assert.equal(head.headers.get('accept-ranges'), 'none');
    assert.equal(head.headers.get('content-length'), String(SIZE));
    const etag = head.headers.get('etag') ?? '';
    assert.equal((await fetch(target, { headers: { 'If-None-Match': etag } })).status, 304);
    const failed = await fetch(target, { headers: { 'If-Match': '"other"' } });
    await failed.arrayBuffer();
    assert.equal(failed.status, 412);
    assert.notEqual(head.headers.get('last-modified'), null);
  } finally {
    await plain.stop();
  }
});
