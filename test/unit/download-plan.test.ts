/** From a request and a file to an answer: the order of conditions and ranges, and the segments of the body. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DownloadPlan, planDownload, type Segment } from '../../src/main/download/download-plan.ts';
import { type Representation, represent } from '../../src/main/download/representation.ts';
import type { RequestHead } from '../../src/main/http/exchange.ts';
import type { ResponseFields } from '../../src/main/http/field-line.ts';
import type { FileKey } from '../../src/shared/files.ts';

const NOW = Date.UTC(2026, 0, 2);
const CONTENT = Buffer.from('0123456789'.repeat(10));
const ETAG = '"1-64"';

function fileOf(size: number): Representation {
  const info = { size, modifiedMs: NOW - 86_400_000, validator: '1-64', type: null, sha256: null };
  return represent('a/file.bin' as FileKey, info, { hasRanges: true, isReplaceable: false });
}

function plan(
  fields: Readonly<Record<string, string>>,
  method = 'GET',
  file = fileOf(100),
  hasRanges = true,
): DownloadPlan {
  const head: RequestHead = {
    method,
    path: '/files/a/file.bin',
    query: null,
    fields: Object.entries(fields).map(([name, value]) => ({ name, value })),
    framing: { body: { kind: 'none', length: 0 }, announcesTrailer: false },
  };
  return planDownload(head, file, { hasRanges, nowMs: NOW, newBoundary: () => 'B0' });
}

function streamed(of: DownloadPlan): Extract<DownloadPlan, { kind: 'stream' }> {
  assert.equal(of.kind, 'stream');
  return of as Extract<DownloadPlan, { kind: 'stream' }>;
}

function fieldIn(fields: ResponseFields, name: string): string | null {
  const values = fields.filter((field) => field[0] === name);
  assert.ok(values.length <= 1, `${name} stands ${values.length} times`);
  return values[0]?.[1] ?? null;
}

function bodyOf(segments: readonly Segment[]): string {
  const parts = segments.map((segment) =>
    segment.kind === 'text' ? segment.bytes : CONTENT.subarray(segment.first, segment.first + segment.length),
  );
  return Buffer.concat(parts).toString();
}

test('GET without conditions is 200 with one segment over the whole file', () => {
  const { head, segments } = streamed(plan({}));
  assert.deepEqual([head.status, head.length], [200, 100]);
  assert.deepEqual(segments, [{ kind: 'file', first: 0, length: 100 }]);
  assert.equal(fieldIn(head.fields, 'ETag'), ETAG);
  assert.equal(fieldIn(head.fields, 'Content-Type'), 'application/octet-stream');
  assert.equal(fieldIn(head.fields, 'Content-Range'), null);
});

test('a file of no bytes has no segments', () => {
  const { head, segments } = streamed(plan({}, 'GET', fileOf(0)));
  assert.deepEqual([head.status, head.length, segments], [200, 0, []]);
});

test('one range is 206 with its Content-Range (RFC 9110 §15.3.7.1)', () => {
  const { head, segments } = streamed(plan({ range: 'bytes=10-19' }));
  assert.deepEqual([head.status, head.length], [206, 10]);
  assert.deepEqual(segments, [{ kind: 'file', first: 10, length: 10 }]);
  assert.equal(fieldIn(head.fields, 'Content-Range'), 'bytes 10-19/100');
  assert.equal(fieldIn(head.fields, 'Content-Type'), 'application/octet-stream');
});

test('several ranges are 206 without Content-Range, and their length is exact (RFC 9110 §15.3.7.2)', () => {
  const { head, segments } = streamed(plan({ range: 'bytes=0-1,98-' }));
  assert.equal(head.status, 206);
  assert.equal(fieldIn(head.fields, 'Content-Range'), null);
  assert.equal(fieldIn(head.fields, 'Content-Type'), 'multipart/byteranges; boundary=B0');
  assert.equal(fieldIn(head.fields, 'ETag'), ETAG);
  const part = (range: string, text: string): string =>
    `--B0\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/100\r\n\r\n${text}\r\n`;
  assert.equal(bodyOf(segments), `${part('0-1', '01')}${part('98-99', '89')}--B0--\r\n`);
  assert.equal(head.length, bodyOf(segments).length);
});

test('HEAD is the head of a whole GET: Range is not for it (RFC 9110 §14.2)', () => {
  const whole = streamed(plan({}));
  for (const fields of [{}, { range: 'bytes=0-1' }, { range: 'bytes=500-' }]) {
    assert.deepEqual(plan(fields, 'HEAD'), { kind: 'head', head: whole.head });
  }
});

test('304 repeats the validators and nothing about a body (RFC 9110 §15.4.5)', () => {
  for (const method of ['GET', 'HEAD']) {
    const notModified = plan({ 'if-none-match': ETAG, range: 'bytes=0-1' }, method);
    assert.ok(notModified.kind === 'head');
    assert.equal(notModified.head.status, 304);
    assert.equal(fieldIn(notModified.head.fields, 'ETag'), ETAG);
    assert.notEqual(fieldIn(notModified.head.fields, 'Cache-Control'), null);
    for (const name of ['Content-Type', 'Content-Range', 'Content-Disposition']) {
      assert.equal(fieldIn(notModified.head.fields, name), null);
    }
  }
});

const order: readonly (readonly [what: string, fields: Readonly<Record<string, string>>, status: number])[] = [
  ['a failed If-Match beats everything', { 'if-match': '"x"', 'if-none-match': ETAG, range: 'bytes=500-' }, 412],
  ['If-Match beats If-Unmodified-Since', { 'if-match': ETAG, 'if-unmodified-since': new Date(0).toUTCString() }, 200],
  ['If-None-Match beats Range', { 'if-none-match': ETAG, range: 'bytes=500-' }, 304],
  ['a Range outside the file is 416 when all else holds', { 'if-match': ETAG, range: 'bytes=500-' }, 416],
  ['a failed If-Range makes a bad Range harmless', { 'if-range': '"x"', range: 'bytes=500-' }, 200],
  ['a right If-Range lets a bad Range through', { 'if-range': ETAG, range: 'bytes=500-' }, 416],
  ['If-Range without Range means nothing', { 'if-range': ETAG }, 200],
];

for (const [what, fields, status] of order) {
  test(`${what} (RFC 9110 §13.2.2)`, () => {
    const found = plan(fields);
    assert.equal(found.kind === 'problem' ? found.problem.status : found.head.status, status);
  });
}

test('416 says how long the file is (RFC 9110 §15.5.17)', () => {
  const found = plan({ range: 'bytes=100-' });
  assert.ok(found.kind === 'problem');
  assert.equal(fieldIn(found.problem.fields, 'Content-Range'), 'bytes */100');
});

test('a repeated Range is no Range', () => {
  const head: RequestHead = {
    method: 'GET',
    path: '/',
    query: null,
    fields: [
      { name: 'range', value: 'bytes=0-1' },
      { name: 'range', value: 'bytes=2-3' },
    ],
    framing: { body: { kind: 'none', length: 0 }, announcesTrailer: false },
  };
  const found = planDownload(head, fileOf(100), { hasRanges: true, nowMs: NOW, newBoundary: () => 'B0' });
  assert.equal(streamed(found).head.status, 200);
});

test('without ranges every Range is ignored, and conditions stay', () => {
  for (const range of ['bytes=0-1', 'bytes=500-', 'bytes=0-1,3-4']) {
    assert.equal(streamed(plan({ range }, 'GET', fileOf(100), false)).head.status, 200);
  }
  assert.equal(plan({ 'if-none-match': ETAG }, 'GET', fileOf(100), false).kind, 'head');
});

test('whatever the Range, the segments have exactly the announced length and lie inside the file', () => {
  const position = fc.oneof(fc.nat(120).map(String), fc.constant(''));
  const spec = fc.tuple(position, position).map(([first, last]) => `${first}-${last}`);
  const ranges = fc.array(spec, { minLength: 1, maxLength: 9 }).map((specs) => `bytes=${specs.join(',')}`);
  fc.assert(
    fc.property(ranges, fc.constantFrom(0, 1, 100), (range, size) => {
      const found = plan({ range }, 'GET', fileOf(size));
      if (found.kind !== 'stream') return;
      let length = 0;
      for (const segment of found.segments) {
        length += segment.kind === 'text' ? segment.bytes.length : segment.length;
        if (segment.kind === 'file') assert.ok(segment.first >= 0 && segment.first + segment.length <= size);
      }
      assert.equal(length, found.head.length);
    }),
    { numRuns: 500 },
  );
});
