/** Integrity fields of requests and answers (RFC 9530, RFC 3230, RFC 1864). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  contentDigests,
  type DigestReading,
  digestField,
  legacyDigestField,
  representationDigests,
  wantedAlgorithm,
  wantsLegacyDigest,
} from '../../src/main/http/digest-fields.ts';

const RUNS = 100_000;

function base64(algorithm: string, text = 'hello'): string {
  return createHash(algorithm).update(text).digest('base64');
}

const sha256 = base64('sha256');
const sha512 = base64('sha512');
const md5 = base64('md5');

function linesOf(name: string, ...values: readonly string[]): readonly { name: string; value: string }[] {
  return values.map((value) => ({ name, value }));
}

test('Content-Digest and Repr-Digest give the digests to expect; algorithms that prove nothing are passed over (RFC 9530 §5)', () => {
  const table: readonly (readonly [values: readonly string[], expected: DigestReading])[] = [
    [[], []],
    [[''], []],
    [[`sha-256=:${sha256}:`], [{ algorithm: 'sha256', value: sha256 }]],
    [
      [`sha-512=:${sha512}:, sha-256=:${sha256}:`],
      [
        { algorithm: 'sha256', value: sha256 },
        { algorithm: 'sha512', value: sha512 },
      ],
    ],
    [
      [`sha-512=:${sha512}:`, `sha-256=:${sha256}:`],
      [
        { algorithm: 'sha256', value: sha256 },
        { algorithm: 'sha512', value: sha512 },
      ],
    ],
    [[`sha-256=:${sha256.replace('=', '')}:;x=1`], [{ algorithm: 'sha256', value: sha256 }]],
    [[`md5=:${md5}:, unixsum=30637, crc32c=:AAAAAA==:, x=?1`], []],
    [['sha-256=:AAAA:'], 'malformed'],
    [[`sha-512=:${sha256}:`], 'malformed'],
    [[`sha-256="${sha256}"`], 'malformed'],
    [[`sha-256=${sha256}`], 'malformed'],
    [['sha-256=5'], 'malformed'],
    [['sha-256'], 'malformed'],
    [[`sha-256=:${sha256}`], 'malformed'],
    [[`SHA-256=:${sha256}:`], 'malformed'],
    [[`sha-256=:${sha256}:,`], 'malformed'],
  ];
  for (const [values, expected] of table) {
    assert.deepEqual(contentDigests(linesOf('content-digest', ...values)), expected, values.join(' | '));
    assert.deepEqual(representationDigests(linesOf('repr-digest', ...values)), expected, values.join(' | '));
  }
});

test('Content-MD5 is one padded Base64 value of 16 bytes (RFC 1864)', () => {
  const table: readonly (readonly [values: readonly string[], expected: DigestReading])[] = [
    [[md5], [{ algorithm: 'md5', value: md5 }]],
    [[md5, md5], 'malformed'],
    [[''], 'malformed'],
    [[md5.slice(0, -2)], 'malformed'],
    [['not base64'], 'malformed'],
    [[sha256], 'malformed'],
  ];
  for (const [values, expected] of table) {
    assert.deepEqual(contentDigests(linesOf('content-md5', ...values)), expected, values.join(' | '));
  }
  const both = [...linesOf('content-md5', md5), ...linesOf('content-digest', `sha-256=:${sha256}:`)];
  assert.deepEqual(contentDigests(both), [
    { algorithm: 'sha256', value: sha256 },
    { algorithm: 'md5', value: md5 },
  ]);
});

test('Want-Repr-Digest gets SHA-256 wherever that is acceptable, and never what is weighed with 0 (RFC 9530 §4)', () => {
  const table: readonly (readonly [values: readonly string[], expected: string | null])[] = [
    [[], null],
    [['sha-256=10'], 'sha256'],
    [['sha-256=1, sha-512=10'], 'sha256'],
    [['sha-512=3'], 'sha512'],
    [['sha-256=0, sha-512=3'], 'sha512'],
    [['sha-256=0'], null],
    [['sha-256=11'], null],
    [['sha-256'], null],
    [['md5=10, sha=10'], null],
    [['garbage,'], null],
    [['md5=1', 'sha-256=2'], 'sha256'],
  ];
  for (const [values, expected] of table) {
    assert.equal(wantedAlgorithm(linesOf('want-repr-digest', ...values), 'want-repr-digest'), expected, values.join());
    assert.equal(wantedAlgorithm(linesOf('want-repr-digest', ...values), 'want-content-digest'), null);
  }
});

test('Want-Digest asks for SHA-256 in any case and with any quality but 0 (RFC 3230 §4.3.1)', () => {
  const table: readonly (readonly [value: string, expected: boolean])[] = [
    ['SHA-512;q=1, SHA-256;q=1, SHA;q=0.1', true],
    ['sha-256', true],
    ['SHA-256;q=0.001', true],
    ['SHA-256;q=0', false],
    ['SHA-256 ; q=0.0', false],
    ['SHA-512', false],
    ['', false],
  ];
  for (const [value, expected] of table)
    assert.equal(wantsLegacyDigest(linesOf('want-digest', value)), expected, value);
});

test('writes the fields of answers', () => {
  const digest = { algorithm: 'sha256', value: sha256 } as const;
  assert.deepEqual(digestField('Repr-Digest', digest), [['Repr-Digest', `sha-256=:${sha256}:`]]);
  assert.deepEqual(digestField('Content-Digest', { algorithm: 'sha512', value: sha512 }), [
    ['Content-Digest', `sha-512=:${sha512}:`],
  ]);
  assert.deepEqual(legacyDigestField(digest), [['Digest', `SHA-256=${sha256}`]]);
});

test('A76 what is read can be compared: every digest has the length of its algorithm', () => {
  const lengths = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };
  const pieces = fc.constantFrom(
    'sha-256',
    'sha-512',
    'md5',
    '=',
    ':',
    ',',
    ' ',
    sha256,
    sha512,
    md5,
    '?1',
    ';',
    '"',
    'é',
  );
  const value = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('content-digest', 'content-md5', 'want-digest', 'want-repr-digest'),
      value,
      (name, text) => {
        const fields = linesOf(name, text);
        const digests = contentDigests(fields);
        for (const digest of digests === 'malformed' ? [] : digests) {
          assert.equal(Buffer.from(digest.value, 'base64').length, lengths[digest.algorithm]);
          assert.equal(Buffer.from(digest.value, 'base64').toString('base64'), digest.value);
        }
        wantsLegacyDigest(fields);
        wantedAlgorithm(fields, 'want-repr-digest');
      },
    ),
    { numRuns: RUNS },
  );
});

test('A76 grown values take linear time', () => {
  for (const unit of [',', ';', 'sha-256;', 'sha-256=:A', 'q=0;', ' ', '"']) {
    const fields = ['content-digest', 'content-md5', 'want-digest'].flatMap((name) =>
      linesOf(name, unit.repeat(100_000)),
    );
    const started = performance.now();
    contentDigests(fields);
    wantsLegacyDigest(fields);
    assert.ok(performance.now() - started < 3000, unit);
  }
});
