/** Who may follow a server: whoever knows one of its secrets, and nothing that signs uploads comes out of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isProof, newNonce, prove } from '../../src/main/handover/proof.ts';

test('a secret in common is proof, whichever it is', () => {
  const nonce = newNonce();
  const proof = prove(['new', 'old'], nonce) ?? '';
  assert.ok(isProof(proof, ['old'], nonce) && isProof(proof, ['older', 'new'], nonce));
  assert.ok(!isProof(proof, ['older'], nonce));
  assert.ok(!isProof(proof, ['old'], newNonce()));
});

test('no other text is proof', () => {
  const nonce = newNonce();
  fc.assert(fc.property(fc.string(), (text) => assert.equal(isProof(text, ['secret'], nonce), false)));
  for (const text of ['', ' ', '00', '0'.repeat(64), `${prove(['secret'], nonce)}00`]) {
    assert.equal(isProof(text, ['secret'], nonce), false, text);
  }
});

test('nothing but a nonce is signed', () => {
  for (const nonce of [
    '',
    'a/b 5',
    'a\x005\x00text/plain',
    newNonce().toUpperCase(),
    `${newNonce()} `,
    `x${newNonce()}`,
  ]) {
    assert.equal(prove(['secret'], nonce), null);
  }
});
