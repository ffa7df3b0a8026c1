/** The HMAC in the worker: every secret and every reading is tried, and nothing but 64 hexadecimal digits is a MAC. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SignatureCheck, SignedMessage } from '../../src/shared/signature.ts';
import { verifySignature } from '../../src/workers/verify-signature.ts';
import { hmacHex, verifyCheck } from '../support/sign.ts';

const SECRET = 'current-secret';
const OLD = 'previous-secret';
const OLDER = 'older-secret';
const FIRST: SignedMessage = { text: 'a/b.txt 5', storedType: null };
const SECOND: SignedMessage = { text: 'a/b.txt\x005\0text/plain', storedType: 'text/plain' };

function check(mac: string, ...messages: readonly SignedMessage[]): SignatureCheck {
  const [first = FIRST, ...others] = messages;
  return { scheme: 'v', mac, messages: [first, ...others] };
}

test('verifies with the current secret, and with previous ones as such', () => {
  for (const [secret, kind] of [
    [SECRET, 'current'],
    [OLD, 'previous'],
    [OLDER, 'previous'],
  ] as const) {
    const verified = verifySignature(check(hmacHex(secret, FIRST.text)), [SECRET, OLD, OLDER]);
    assert.deepEqual(verified, { secret: kind, message: FIRST });
  }
  assert.equal(verifySignature(check(hmacHex(OLD, FIRST.text)), [SECRET]), null);
});

test('tells which reading verified, the preferred one first', () => {
  assert.equal(verifySignature(check(hmacHex(SECRET, SECOND.text), FIRST, SECOND), [SECRET])?.message, SECOND);
  const twin: SignedMessage = { text: FIRST.text, storedType: 'image/png' };
  assert.equal(verifySignature(check(hmacHex(SECRET, FIRST.text), FIRST, twin), [SECRET])?.message, FIRST);
  assert.equal(verifySignature(check(hmacHex(SECRET, FIRST.text), twin, FIRST), [SECRET])?.message, twin);
});

test('A28 accepts either case of the right digits', () => {
  const mac = hmacHex(SECRET, FIRST.text);
  const mixed = [...mac].map((digit, index) => (index % 2 === 0 ? digit.toUpperCase() : digit)).join('');
  for (const spelling of [mac, mac.toUpperCase(), mixed]) {
    assert.notEqual(verifySignature(check(spelling), [SECRET]), null);
  }
});

test('A27 anything but 64 hexadecimal digits verifies nothing', () => {
  const mac = hmacHex(SECRET, FIRST.text);
  const spoilt = ['', mac.slice(0, 63), mac.slice(0, 62), `${mac}0`, `${mac}00`, mac + mac, `${mac.slice(0, 63)}g`];
  for (const text of [...spoilt, `zz${mac.slice(2)}`, ` ${mac}`, `0x${mac.slice(2)}`, 'é'.repeat(64), '0'.repeat(64)]) {
    assert.equal(verifySignature(check(text), [SECRET]), null, text);
  }
});

test('every changed digit is a mismatch', () => {
  const mac = hmacHex(SECRET, FIRST.text);
  for (let at = 0; at < mac.length; at += 1) {
    const other = mac[at] === '0' ? '1' : '0';
    assert.equal(verifySignature(check(mac.slice(0, at) + other + mac.slice(at + 1)), [SECRET]), null, `digit ${at}`);
  }
});

test('signs the bytes of texts and secrets as UTF-8, unchanged', () => {
  const message: SignedMessage = { text: 'Ünïcödé 😀 e\u0301\u202e.png 7', storedType: null };
  for (const secret of [' spaced ', 'schlüssel', '\n', 'x'.repeat(1_000)]) {
    assert.notEqual(verifySignature(check(hmacHex(secret, message.text), message), [secret]), null);
  }
});

test('agrees with an independent verifier on any texts and secrets', () => {
  const messages = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 });
  const secrets = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      messages,
      secrets,
      fc.string({ minLength: 1 }),
      fc.nat(5),
      (texts, [first = 'x', ...rest], other, at) => {
        const readings = texts.map((text): SignedMessage => ({ text, storedType: null }));
        const signer = [first, ...rest, other][at % (rest.length + 2)] ?? other;
        const presented = check(hmacHex(signer, texts[at % texts.length] ?? ''), ...readings);
        const expected = verifyCheck(presented, [first, ...rest]);
        const verified = verifySignature(presented, [first, ...rest]);
        assert.equal(verified?.message.text, expected?.message.text);
      },
    ),
  );
});
