/** A76: the parsers of tus fields take random and grown inputs, in linear time, and never throw. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDecimal } from '../../src/main/http/decimal.ts';
import { createTus } from '../../src/main/upload/tus.ts';
import { parseUploadChecksum } from '../../src/main/upload/upload-checksum.ts';
import { parseUploadConcat } from '../../src/main/upload/upload-concat.ts';
import { metadataType, parseUploadMetadata } from '../../src/main/upload/upload-metadata.ts';
import { slotServer } from '../support/slot-decision.ts';
import { BASE_PATH, type Lines, RESOURCE_PATH, uploadRequest } from '../support/upload-request.ts';

const RUNS = 100_000;
const place = { basePath: BASE_PATH, publicOrigin: 'https://files.example.org' };

const words = [
  'partial',
  'final;',
  RESOURCE_PATH,
  `https://files.example.org${RESOURCE_PATH}`,
  'http://',
  'sha1',
  'md5',
  'filetype',
  'YQ==',
  'null',
  ' ',
  ',',
  ';',
  '=',
  '0',
  '1',
  '9999999999999999999',
  '__proto__',
  '1.0.0',
  'application/offset+octet-stream',
];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((all) => all.join('')),
);

test('A76 each parser takes whatever it is given', () => {
  const read = (value: string): void => {
    const pairs = parseUploadMetadata(value);
    if (pairs !== null) metadataType(pairs);
    parseUploadChecksum(value);
    parseUploadConcat(value, place, 'test');
    parseDecimal(value);
  };
  fc.assert(fc.property(text, read), { numRuns: RUNS });
});

const names = [
  'Tus-Resumable',
  'Upload-Length',
  'Upload-Offset',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Concat',
  'Upload-Checksum',
  'Content-Type',
  'Content-Length',
  'Transfer-Encoding',
];
const lines: fc.Arbitrary<Lines> = fc.array(fc.tuple(fc.constantFrom(...names), text), { maxLength: 8 });

test('A76 a whole request is a command or a refusal, and every refusal an answer', () => {
  const tus = createTus(() => slotServer(), place);
  const method = fc.constantFrom('POST', 'PATCH', 'HEAD', 'DELETE', 'GET', 'PUT');
  const target = fc.constantFrom(`${BASE_PATH}a?v=${'0'.repeat(64)}&s=1`, RESOURCE_PATH);
  fc.assert(
    fc.property(method, target, lines, (verb, url, fields) => {
      const request = uploadRequest(verb, url, [['Tus-Resumable', '1.0.0'], ...fields]);
      const parsed = tus.parse(request);
      if (parsed.kind === 'command') return;
      const answer = tus.reject({ problem: parsed.problem, failure: null }, request);
      assert.ok(answer.status >= 400 && answer.status < 500);
    }),
    { numRuns: RUNS },
  );
});

test('A76 time grows no faster than the input', () => {
  const startedMs = performance.now();
  for (const unit of [
    ',',
    ' ',
    'a',
    'a,',
    'YQ==',
    'a YQ==,',
    '/',
    'final;',
    '=',
    `${RESOURCE_PATH} `,
    'http://',
    '9',
  ]) {
    const grown = unit.repeat(1_000_000 / unit.length);
    for (const value of [grown, `a ${grown}`, `sha1 ${grown}`, `final;${grown}`, `final;http://${grown}`]) {
      parseUploadMetadata(value);
      parseUploadChecksum(value);
      parseUploadConcat(value, place, 'test');
      parseDecimal(value);
    }
  }
  const elapsedMs = performance.now() - startedMs;
  assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
});
