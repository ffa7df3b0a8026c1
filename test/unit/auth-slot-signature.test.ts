/** Readings of signatures: which texts may be under a MAC, in which order, and what is refused before any HMAC. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { signedTypesOf } from '../../src/main/auth/extension-types.ts';
import { parseSlotQuery, type SlotParameters } from '../../src/main/auth/slot-parameters.ts';
import {
  readDeleteSignature,
  readSlotSignature,
  type SignatureRules,
  type SlotRequest,
  type SlotSignature,
} from '../../src/main/auth/slot-signature.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { projectRoot } from '../support/project-root.ts';

const mac = 'ab'.repeat(32);
const rules: SignatureRules = {
  basePath: '/files/',
  signedPath: 'relative',
  typeByExtension: true,
  acceptV3: true,
  servedType: () => 'image/png',
};

function parametersOf(query: string): SlotParameters {
  const parsed = parseSlotQuery(query);
  assert.ok(parsed.kind === 'parameters');
  return parsed.parameters;
}

function request(query: string, settings: Partial<SlotRequest> = {}): SlotRequest {
  const key = 'a/b.png' as FileKey;
  const slot = { key, parameters: parametersOf(query), size: 12, contentType: null, authorization: null };
  return { ...slot, nowSeconds: 1000, ...settings };
}

function textsOf(signature: SlotSignature): readonly string[] {
  assert.ok(signature.kind === 'check');
  return signature.check.messages.map((message) => message.text);
}

function storedTypesOf(signature: SlotSignature): readonly (string | null)[] {
  assert.ok(signature.kind === 'check');
  return signature.check.messages.map((message) => message.storedType);
}

test('v covers path and size, and stores the type that the client names', () => {
  const named = readSlotSignature(request(`v=${mac}`, { contentType: 'text/css' }), rules);
  assert.deepEqual(textsOf(named), ['a/b.png 12']);
  assert.deepEqual(storedTypesOf(named), ['text/css']);
  assert.deepEqual(storedTypesOf(readSlotSignature(request(`v=${mac}`), rules)), [null]);
  assert.deepEqual(storedTypesOf(readSlotSignature(request(`v=${mac}`, { contentType: 'image/png' }), rules)), [null]);
  assert.deepEqual(storedTypesOf(readSlotSignature(request(`v=${mac}`, { contentType: 'x y' }), rules)), [
    'application/octet-stream',
  ]);
});

test('v2 and token try the named type, its bare form, and the types of the extension, each once', () => {
  const table: readonly (readonly [contentType: string | null, key: string, types: readonly string[]])[] = [
    ['image/png', 'a.png', ['image/png', 'image/png; charset=utf-8']],
    [null, 'a', ['application/octet-stream', '']],
    ['', 'a', ['application/octet-stream', '']],
    ['text/x ; a=b', 'a', ['text/x ; a=b', 'text/x', 'application/octet-stream']],
    ['Image/PNG', 'a.png', ['Image/PNG', 'image/png', 'image/png; charset=utf-8']],
    ['text/plain;charset=UTF-8', 'x.TXT', ['text/plain;charset=UTF-8', 'text/plain', 'text/plain; charset=utf-8']],
  ];
  for (const [contentType, key, types] of table) {
    for (const scheme of ['v2', 'token']) {
      const signature = readSlotSignature(request(`${scheme}=${mac}`, { contentType, key: key as FileKey }), rules);
      assert.deepEqual(
        textsOf(signature),
        types.map((type) => `${key}\0${12}\0${type}`),
      );
      assert.ok(signature.kind === 'check');
      assert.deepEqual(signature.triedTypes, types);
      assert.equal(signature.check.scheme, scheme);
    }
  }
});

test('without TypeByExtension only what the client says is tried', () => {
  const off = { ...rules, typeByExtension: false };
  assert.deepEqual(textsOf(readSlotSignature(request(`v2=${mac}`, { contentType: 'a/b;c=d' }), off)), [
    'a/b.png\x0012\0a/b;c=d',
    'a/b.png\x0012\0a/b',
  ]);
});

test('a stored type is well-formed, and none when serving would give it anyway', () => {
  const types = ['image/png', 'text/html;x', 'a/b; c="d"', `a/${'b'.repeat(300)}`, 'bl\u00e4/x'];
  const stored = types.map((contentType) => {
    const signature = readSlotSignature(request(`v2=${mac}`, { contentType }), { ...rules, typeByExtension: false });
    return storedTypesOf(signature)[0];
  });
  const octetStream = 'application/octet-stream';
  assert.deepEqual(stored, [null, 'text/html', 'a/b; c="d"', octetStream, octetStream]);
});

test('SignedPath chooses the path under the MAC; v3 always covers all of it', () => {
  const contentType = 'image/png';
  const paths = (signedPath: SignatureRules['signedPath'], basePath: string, query: string): readonly string[] =>
    textsOf(readSlotSignature(request(query, { contentType }), { ...rules, signedPath, basePath }));
  assert.deepEqual(paths('full', '/files/', `v=${mac}`), ['files/a/b.png 12']);
  assert.deepEqual(paths('either', '/files/', `v=${mac}`), ['a/b.png 12', 'files/a/b.png 12']);
  assert.deepEqual(paths('either', '/', `v=${mac}`), ['a/b.png 12']);
  assert.equal(paths('either', '/files/', `v2=${mac}`).length, 4);
  assert.deepEqual(paths('relative', '/files/', `v3=${mac}&expires=0001001`), ['PUT\n0001001\n/files/a/b.png']);
});

test('sizes are written as they came, beyond what a number holds', () => {
  assert.deepEqual(textsOf(readSlotSignature(request(`v=${mac}`, { size: '9007199254740993' }), rules)), [
    'a/b.png 9007199254740993',
  ]);
  assert.deepEqual(textsOf(readSlotSignature(request(`v=${mac}`, { size: 999_999_999_999_999 }), rules)), [
    'a/b.png 999999999999999',
  ]);
});

test('refuses in the order of the checks: missing, encoding, length, expiry', () => {
  const table: readonly (readonly [query: string, scheme: string, result: string, title: string])[] = [
    ['', 'none', 'missing', "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC"],
    ['v=&s=5', 'none', 'missing', "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC"],
    ['v=abc', 'v', 'encoding', 'Invalid MAC encoding'],
    ['v2=zz', 'v2', 'encoding', 'Invalid MAC encoding'],
    ['token=%61b', 'token', 'encoding', 'Invalid MAC encoding'],
    [`v=${mac}%0a`, 'v', 'encoding', 'Invalid MAC encoding'],
    [`v=${mac}\n`, 'v', 'encoding', 'Invalid MAC encoding'],
    ['v=ab', 'v', 'mismatch', 'Invalid MAC'],
    [`v=${mac}${mac}`, 'v', 'mismatch', 'Invalid MAC'],
    [`v3=${mac}`, 'v3', 'mismatch', 'Invalid MAC'],
    [`v3=${mac}&expires=1e9`, 'v3', 'mismatch', 'Invalid MAC'],
    [`v3=${mac}&expires=+2000`, 'v3', 'mismatch', 'Invalid MAC'],
    [`v3=${mac}&expires=1000`, 'v3', 'expired', 'Signature expired'],
    ['v3=abc&expires=1', 'v3', 'encoding', 'Invalid MAC encoding'],
    [`v3=zz&v=${mac}&expires=2000`, 'v3', 'encoding', 'Invalid MAC encoding'],
  ];
  for (const [query, scheme, result, title] of table) {
    const signature = readSlotSignature(request(query), rules);
    assert.ok(signature.kind === 'refused', query);
    assert.equal(signature.problem.status, 403, query);
    assert.deepEqual([signature.scheme, signature.result, signature.problem.title], [scheme, result, title], query);
  }
});

test('AcceptV3 = false refuses v3, also beside a right v', () => {
  const signature = readSlotSignature(request(`v3=${mac}&expires=2000&v=${mac}`), { ...rules, acceptV3: false });
  assert.ok(signature.kind === 'refused' && signature.scheme === 'v3');
});

test('a deletion is covered by token alone, over path and delete secret', () => {
  const read = (query: string, deleteSecret = 'del'): SlotSignature =>
    readDeleteSignature(request(query), rules, deleteSecret);
  assert.deepEqual(textsOf(read(`token=${mac}`)), ['a/b.png\0del']);
  assert.deepEqual(storedTypesOf(read(`token=${mac}`)), [null]);
  for (const query of ['', `v=${mac}`, `v2=${mac}`, `v2=${mac}&token=${mac}`, 'token=ab', 'token=a']) {
    assert.equal(read(query).kind, 'refused', query);
  }
  assert.equal(read(`token=${mac}`, '').kind, 'refused');
});

test('knows the extension table of the signature vectors, row by row', () => {
  const file = readFileSync(join(projectRoot, 'test/data/vectors/signatures.json'), 'utf8');
  const rows = Object.entries((JSON.parse(file) as { extension_types: Record<string, string[]> }).extension_types);
  assert.equal(rows.length, 121);
  for (const [extension, types] of rows) {
    assert.deepEqual(
      signedTypesOf(extension),
      types.flatMap((type) => [type, `${type}; charset=utf-8`]),
    );
  }
  for (const extension of [null, '', 'xyz1', '__proto__', 'constructor', 'PNG']) {
    assert.deepEqual(signedTypesOf(extension), ['application/octet-stream']);
  }
});

test('accepts exactly 64 hexadecimal digits of either case as a MAC', () => {
  const digit = fc.constantFrom(...'0123456789abcdefABCDEF');
  fc.assert(
    fc.property(fc.array(digit, { minLength: 64, maxLength: 64 }), (digits) => {
      const signature = readSlotSignature(request(`v=${digits.join('')}`), rules);
      assert.ok(signature.kind === 'check' && signature.check.mac === digits.join(''));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
      const parameters = { ...parametersOf(''), v: text };
      const isMac = /^[0-9a-f]{64}$/i.test(text);
      assert.equal(readSlotSignature({ ...request(''), parameters }, rules).kind === 'check', isMac);
    }),
  );
});
