/**
 * A76: everything that reads what strangers send, with random, mutated and grown inputs. Nothing throws, and time grows
 * with the length. `npm run test:attacks` takes 100,000 cases for each reader, `npm run test:attacks:long` a million.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bearerToken, readBearerJwt } from '../../src/main/auth/bearer-jwt.ts';
import { parseRequestTarget } from '../../src/main/auth/request-target.ts';
import { parseSlotQuery } from '../../src/main/auth/slot-parameters.ts';
import { forwardedAddress } from '../../src/main/http/client-address.ts';
import { listsEntityTag } from '../../src/main/http/entity-tag.ts';
import { listMembers } from '../../src/main/http/fields.ts';
import { readFraming } from '../../src/main/http/framing.ts';
import { parseHttpDate } from '../../src/main/http/http-date.ts';
import { isInlineSafe, storableType } from '../../src/main/http/media-type.ts';
import { firstRangeOffset, selectRange } from '../../src/main/http/range.ts';
import type { FileKey } from '../../src/shared/files.ts';

const CASES = Number(process.env['PROPERTY_CASES'] ?? 100_000);

interface Reader {
  readonly name: string;
  /** Right inputs, to be mutated. */
  readonly seeds: readonly string[];
  /** What a very long input consists of. */
  readonly units: readonly string[];
  readonly read: (text: string) => unknown;
}

const hex = 'a'.repeat(64);
const token = `${btoa('{"alg":"HS256"}')}.${btoa('{"slot":"s","filename":"f","filesize":5,"exp":1}')}.${'A'.repeat(43)}`;

const readers: readonly Reader[] = [
  {
    name: 'path',
    seeds: ['/files/a/b%20c', '/files/%f0%9f%98%80', '/files/%2e%2e/x', '/files/a%2fb', '/files/.hfs/u/x.y'],
    units: ['%', '%2', '/', 'a/', '%2e', '../', '%ff', '\u20ac', '.'],
    read: (text) => parseRequestTarget(text, '/files/'),
  },
  {
    name: 'query',
    seeds: [`v=${hex}`, `v2=${hex}&s=1`, `v3=${hex}&expires=1`, 'token=&v', '__proto__=1&constructor=2'],
    units: ['&', 'v=&', 'x&', '=', 'v', '%26', 'a=b&'],
    read: parseSlotQuery,
  },
  {
    name: 'Range',
    seeds: ['bytes=0-1', 'bytes=-5', 'bytes=5-', 'bytes=0-1, 3-4, -1', 'bytes = 1-2'],
    units: ['0-0,', ',', ' ,', '-', '9', 'bytes=', '\t'],
    read: (text) => [selectRange(text, 1_000), selectRange(`bytes=${text}`, 1_000), firstRangeOffset(text)],
  },
  {
    name: 'If-Match',
    seeds: ['"a", W/"b"', '*', '"', 'W/"', '"a" , "b"'],
    units: ['"a",', '"', ',', 'W/', ' ', 'W/"', '"a"'],
    read: (text) => listsEntityTag(text, '"x"', 'strong'),
  },
  {
    name: 'date',
    seeds: ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'],
    units: ['Sun, ', ' ', '0', ':', 'GMT'],
    read: (text) => parseHttpDate(text, 0),
  },
  {
    name: 'media type',
    seeds: ['text/plain; charset=utf-8', 'image/png', 'a/b;c="d;e"', 'image/svg+xml', 'text/html, image/png'],
    units: [';', '; a=b', '/', '"', 'a', ' ', '\\'],
    read: (text) => [storableType(text), isInlineSafe(text)],
  },
  {
    name: 'length and coding',
    seeds: ['5', '05', 'chunked', 'gzip, chunked', '999999999999999', '-1'],
    units: ['9', ' ', ',', 'chunked,', '0'],
    read: (value) => ['content-length', 'transfer-encoding'].map((name) => readFraming([{ name, value }])),
  },
  {
    name: 'list of a field',
    seeds: ['a, b', '"a,b", c', ',,', '"\\"", x'],
    units: [',', '"', '\\', ' ', 'a,', '",'],
    read: (value) => listMembers([{ name: 'x', value }], 'x'),
  },
  {
    name: 'Bearer token',
    seeds: [`Bearer ${token}`, token, 'bearer x.y.z', 'Basic x'],
    units: ['.', 'A', '=', ' ', 'eyJ', '[', btoa('{"a":')],
    read: (text) => [bearerToken(text), readBearerJwt(text, { key: 's/f' as FileKey, size: 5, nowSeconds: 0 })],
  },
  {
    name: 'forwarded address',
    seeds: ['192.0.2.1', '[2001:db8::1]:80', '192.0.2.1:80', '::ffff:1.2.3.4', 'unknown'],
    units: ['1', ':', '.', '[', '1.', '::', ','],
    read: forwardedAddress,
  },
];

/** Random texts, and right ones with something changed. */
function inputs({ seeds, units }: Reader): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...units), fc.string({ unit: 'binary', maxLength: 3 }));
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(80), fc.nat(6), piece)
    .map(([seed, at, cut, text]) => seed.slice(0, at) + text + seed.slice(at + cut));
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
    mutated,
  );
}

/** The longest head that the transport lets through. */
const GROWN_BYTES = 16 * 1024;
const ROUNDS = 5;
/** A machine that is busy with something else for a moment gets another chance. */
const ATTEMPTS = 3;
/** Four times the input: four times the time when it grows with the length, sixteen times with its square. */
const MAX_GROWTH = 10;
/** Below this a ratio says nothing. */
const NOTICEABLE_MS = 4;

function isLinear([shortMs, longMs]: readonly [number, number]): boolean {
  return longMs < NOTICEABLE_MS || longMs < MAX_GROWTH * shortMs;
}

/** The fastest of some readings of the unit, repeated to so many bytes. */
function timeOf({ read }: Reader, unit: string, bytes: number): number {
  const text = unit.repeat(Math.ceil(bytes / unit.length));
  const times = Array.from({ length: ROUNDS }, () => {
    const startedMs = performance.now();
    read(text);
    return performance.now() - startedMs;
  });
  return Math.min(...times);
}

describe('readers of what strangers send', () => {
  for (const reader of readers) {
    it(`A76 ${reader.name}: ${CASES} random and mutated inputs are read without an exception`, () => {
      let cases = 0;
      fc.assert(
        fc.property(inputs(reader), (text) => {
          cases += 1;
          reader.read(text);
        }),
        { numRuns: CASES },
      );
      assert.equal(cases, CASES);
    });

    it(`A76 ${reader.name}: the time grows with the length and not faster`, () => {
      for (const unit of reader.units) {
        const measured: (readonly [shortMs: number, longMs: number])[] = [];
        while (measured.length < ATTEMPTS && !measured.some(isLinear)) {
          measured.push([timeOf(reader, unit, GROWN_BYTES), timeOf(reader, unit, 4 * GROWN_BYTES)]);
        }
        assert.ok(measured.some(isLinear), `${JSON.stringify(unit)}: ${JSON.stringify(measured)} ms`);
      }
    });
  }
});
