/** Message framing: what delimits a body, and what leaves doubt (RFC 9112 §6). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { type FramingDoubt, readFraming } from '../../src/main/http/framing.ts';
import { framingProblems } from '../../src/main/http/problem.ts';

type Lines = readonly (readonly [name: string, value: string])[];

function framing(lines: Lines): ReturnType<typeof readFraming> {
  return readFraming(lines.map(([name, value]): FieldLine => ({ name, value })));
}

function doubtOf(lines: Lines): FramingDoubt | null {
  const { body } = framing(lines);
  return body.kind === 'doubtful' ? body.reason : null;
}

test('no length and no coding means no body', () => {
  assert.deepEqual(framing([['host', 'a']]), { body: { kind: 'none', length: 0 }, announcesTrailer: false });
});

test('reads a canonical length below 10^15', () => {
  for (const text of ['0', '5', '10', '4294967296', '999999999999999']) {
    assert.deepEqual(framing([['content-length', text]]).body, { kind: 'length', length: Number(text) });
  }
});

test('reads the chunked coding and an announced trailer', () => {
  assert.deepEqual(framing([['transfer-encoding', 'chunked']]).body, { kind: 'chunked' });
  assert.equal(framing([['trailer', 'x']]).announcesTrailer, true);
  assert.equal(framing([['trailer', '']]).announcesTrailer, true);
  const both: Lines = [
    ['content-length', '+1'],
    ['trailer', 'x'],
  ];
  assert.equal(framing(both).announcesTrailer, true);
});

test('A62 several, listed, empty or malformed lengths leave doubt, and so does a length with a coding', () => {
  for (const text of ['', '+5', '-1', '0x5', '05', '00', '5,5', '5, 5', '5 5', '5.0', '1e3', '٥', '5\u0080', 'a']) {
    assert.equal(doubtOf([['content-length', text]]), 'malformed-length', text);
  }
  const twice = (a: string, b: string): FramingDoubt | null =>
    doubtOf([
      ['content-length', a],
      ['content-length', b],
    ]);
  for (const [a, b] of [
    ['5', '5'],
    ['5', '6'],
    ['', '5'],
  ] as const) {
    assert.equal(twice(a, b), 'repeated-length');
  }
  for (const coding of ['chunked', '', 'identity']) {
    assert.equal(
      doubtOf([
        ['content-length', '5'],
        ['transfer-encoding', coding],
      ]),
      'length-with-coding',
    );
  }
});

test('A63 every coding but exactly one "chunked" leaves doubt', () => {
  const codings = [
    '',
    'identity',
    'xchunked',
    'gzip, chunked',
    'chunked, chunked',
    'Chunked',
    'CHUNKED',
    'chunked;a=b',
  ];
  for (const coding of [...codings, 'chunked\u0080', 'chunked ', ',chunked', '"chunked"']) {
    assert.equal(doubtOf([['transfer-encoding', coding]]), 'unknown-coding', coding);
  }
  assert.equal(
    doubtOf([
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'chunked'],
    ]),
    'repeated-coding',
  );
});

test('A67 two Hosts leave doubt', () => {
  assert.equal(
    doubtOf([
      ['host', 'a'],
      ['host', 'a'],
    ]),
    'repeated-host',
  );
  assert.equal(doubtOf([['host', '']]), null);
});

test('A72 a well-formed length of 10^15 bytes and more is too large, not malformed', () => {
  for (const text of ['1000000000000000', '9007199254740992', '100000000000000000', '9999999999999999999']) {
    assert.equal(doubtOf([['content-length', text]]), 'excessive-length', text);
  }
  assert.equal(doubtOf([['content-length', '18446744073709551621']]), 'malformed-length');
  assert.equal(framingProblems['excessive-length'].status, 413);
});

test('every doubt closes the connection', () => {
  for (const problem of Object.values(framingProblems)) assert.ok(problem.closesConnection);
});

test('never takes a length for anything but its exact decimal text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const { body } = framing([['content-length', text]]);
      assert.ok(body.kind === 'doubtful' || (body.kind === 'length' && String(body.length) === text));
    }),
  );
});
