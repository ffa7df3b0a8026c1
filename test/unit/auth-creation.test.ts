/** Who may create an upload that can be gone on with, and how long it may become (resumable.md 7.1.2). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizeCreation, type CreationGrant, type UploadRules } from '../../src/main/auth/grant.ts';
import { parseSlotQuery } from '../../src/main/auth/slot-parameters.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { signJwt, signV, signV2, signV3 } from '../support/sign.ts';

const SECRET = 'a-secret';
const KEY = 'a/b.bin' as FileKey;
const SIZE = 1_000;
const NOW = 1_700_000_000;

const rules: UploadRules = {
  basePath: '/files/',
  signedPath: 'relative',
  typeByExtension: false,
  acceptV3: true,
  servedType: () => 'application/octet-stream',
  allowedExtensions: null,
  maxUploadBytes: 5_000,
};

interface Said {
  readonly declaredBytes?: number | null;
  readonly contentType?: string | null;
  readonly authorization?: string | null;
  readonly rules?: Partial<UploadRules>;
}

/** The grant, or the status of the refusal. */
function decide(query: string, said: Said = {}): CreationGrant | number {
  const { declaredBytes = null, contentType = null, authorization = null } = said;
  const slot = parseSlotQuery(query);
  assert.ok(slot.kind === 'parameters');
  const { parameters } = slot;
  const outcome = authorizeCreation(
    { key: KEY, parameters, nowSeconds: NOW, contentType, authorization, declaredBytes, protocol: 'tus' },
    { ...rules, ...said.rules },
  );
  return outcome.kind === 'granted' ? outcome.grant : outcome.problem.status;
}

function granted(query: string, said: Said = {}): CreationGrant {
  const grant = decide(query, said);
  assert.ok(typeof grant !== 'number', `${grant}`);
  return grant;
}

const v = (size: number): string => `v=${signV(SECRET, KEY, size)}`;
const texts = ({ signature }: CreationGrant): readonly string[] => signature.messages.map(({ text }) => text);

test('a declared length stands under the MAC, and is the length of the file', () => {
  const grant = granted(v(SIZE), { declaredBytes: SIZE });
  assert.deepEqual(texts(grant), [`${KEY} ${SIZE}`]);
  assert.deepEqual([grant.signedBytes, grant.maxBytes], [SIZE, SIZE]);
});

test('without a declared length `s` stands under the MAC: it is as authentic as a length', () => {
  const grant = granted(`${v(SIZE)}&s=${SIZE}`);
  assert.deepEqual(texts(grant), [`${KEY} ${SIZE}`]);
  assert.deepEqual([grant.signedBytes, grant.maxBytes], [SIZE, SIZE]);
  // A raised `s` is what the MAC is compared with.
  assert.deepEqual(texts(granted(`${v(SIZE)}&s=${SIZE + 1}`)), [`${KEY} ${SIZE + 1}`]);
});

test('without a length anywhere it is 400, with two that differ 403, with an `s` that is no number 400', () => {
  assert.equal(decide(v(SIZE)), 400);
  assert.equal(decide(`${v(SIZE)}&s=${SIZE}`, { declaredBytes: SIZE + 1 }), 403);
  assert.equal(typeof decide(`${v(SIZE)}&s=${SIZE}`, { declaredBytes: SIZE }), 'object');
  for (const s of ['-1', '+5', '1e3', '0x10', '01', '1.0', '9'.repeat(16), '9'.repeat(40), 'abc']) {
    assert.equal(decide(`${v(SIZE)}&s=${s}`), 400, s);
  }
});

test('a creation without a signature, or with a malformed one, is 403 whatever its length', () => {
  assert.equal(decide('', { declaredBytes: SIZE }), 403);
  assert.equal(decide(`s=${SIZE}`), 400);
  assert.equal(decide('v=zz', { declaredBytes: SIZE }), 403);
  assert.equal(decide(`v=${'0'.repeat(62)}&s=${SIZE}`), 403);
});

test('v2 covers the type that the client names for the file', () => {
  const type = 'image/png';
  const query = `v2=${signV2(SECRET, KEY, SIZE, type)}`;
  const grant = granted(query, { declaredBytes: SIZE, contentType: type });
  assert.deepEqual(texts(grant), [`${KEY}\0${SIZE}\0${type}`]);
});

test('v3 signs no length: it must be declared, `s` is not looked at, and the limit of the server holds', () => {
  const query = `v3=${signV3(SECRET, `/files/${KEY}`, NOW + 60)}&expires=${NOW + 60}`;
  assert.equal(decide(query), 400);
  assert.equal(decide(`${query}&s=${SIZE}`), 400);
  const grant = granted(`${query}&s=7`, { declaredBytes: SIZE });
  assert.deepEqual([grant.signedBytes, grant.maxBytes], [null, 5_000]);
  assert.equal(granted(query, { declaredBytes: SIZE, rules: { maxUploadBytes: null } }).maxBytes, null);
  assert.equal(decide(`v3=${signV3(SECRET, `/files/${KEY}`, NOW)}&expires=${NOW}`, { declaredBytes: SIZE }), 403);
});

test('the size that a token claims takes the place of `s`', () => {
  const claims = { slot: 'a', filename: 'b.bin', filesize: SIZE, exp: NOW + 60 };
  const authorization = `Bearer ${signJwt(SECRET, claims)}`;
  const grant = granted('', { authorization });
  assert.deepEqual([grant.signature.scheme, grant.signedBytes, grant.maxBytes], ['jwt', SIZE, SIZE]);
  assert.equal(typeof decide('', { authorization, declaredBytes: SIZE }), 'object');
  assert.equal(decide('', { authorization, declaredBytes: SIZE + 1 }), 403);
  assert.equal(decide('', { authorization: 'Bearer x' }), 400);
  assert.equal(decide('', { authorization: `Bearer ${signJwt(SECRET, { ...claims, filesize: -1 })}` }), 400);
});

test('the extension and the limit of the server are looked at as for a plain PUT', () => {
  assert.equal(decide(v(SIZE), { declaredBytes: SIZE, rules: { allowedExtensions: new Set(['txt']) } }), 403);
  assert.equal(decide(v(6_000), { declaredBytes: 6_000 }), 413);
  assert.equal(decide(`${v(6_000)}&s=6000`), 413);
});
