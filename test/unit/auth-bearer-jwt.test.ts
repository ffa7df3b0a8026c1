/** The token of mod_http_file_share (signatures.md, "Prosody with mod_http_file_share"), claim by claim. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BearerJwt, bearerToken, readBearerJwt } from '../../src/main/auth/bearer-jwt.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { hmacHex, signJwt } from '../support/sign.ts';

const SECRET = 'the-secret-of-the-tokens';
const NOW = 1_800_000_000;
const claims = {
  slot: 'RVbKAgWPcrUYAodj',
  filename: 'Grüße 1.png',
  filesize: 1000,
  filetype: 'image/png',
  iat: NOW - 10,
  exp: NOW + 290,
  expires: NOW + 604_800,
  sub: 'user@example.com',
};
const key = `${claims.slot}/${claims.filename}` as FileKey;

function read(token: string, request: Partial<Parameters<typeof readBearerJwt>[1]> = {}): BearerJwt {
  return readBearerJwt(token, { key, size: 1000, nowSeconds: NOW, ...request });
}

function readClaims(changed: object, header?: object): BearerJwt {
  return read(signJwt(SECRET, { ...claims, ...changed }, header));
}

test('a token gives the text and the MAC to verify, and what it says of the file', () => {
  const token = signJwt(SECRET, claims);
  const signedText = token.slice(0, token.lastIndexOf('.'));
  assert.deepEqual(read(token), {
    kind: 'token',
    signedText,
    mac: hmacHex(SECRET, signedText),
    usableUntilMs: claims.exp * 1_000,
    expiresAtMs: claims.expires * 1_000,
    owner: claims.sub,
    type: 'image/png',
  });
});

test('the scheme name is read in any case; another scheme is no token (RFC 9110 §11.1)', () => {
  for (const text of ['Bearer x.y.z', 'bearer x.y.z', 'BEARER   x.y.z']) assert.equal(bearerToken(text), 'x.y.z');
  for (const text of [null, '', 'Bearer', 'Basic eA==', 'Bearerx.y.z', ' Bearer x']) {
    assert.equal(bearerToken(text), null, String(text));
  }
});

test('a size may be written as any JSON number that is that integer, and as nothing else', () => {
  const token = (size: string): string => {
    const payload = JSON.stringify(claims).replace('"filesize":1000', `"filesize":${size}`);
    const text = [JSON.stringify({ alg: 'HS256' }), payload]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    return `${text}.${Buffer.from(hmacHex(SECRET, text), 'hex').toString('base64url')}`;
  };
  for (const size of ['1000', '1000.0', '1e3', '1.0E+3']) assert.equal(read(token(size)).kind, 'token', size);
  for (const size of ['"1000"', '1000.5', '999', '-1000', 'null', '[1000]', '1e999', 'true']) {
    assert.equal(read(token(size)).kind, 'invalid', size);
  }
  assert.equal(read(token('9007199254740993'), { size: '9007199254740992' }).kind, 'invalid');
});

test('the time is required, is checked to the second, and beats everything but the algorithm', () => {
  assert.equal(readClaims({ exp: NOW + 1 }).kind, 'token');
  assert.equal(readClaims({ exp: NOW }).kind, 'expired');
  assert.equal(readClaims({ exp: NOW - 1, slot: 'other' }).kind, 'expired');
  assert.equal(readClaims({ exp: NOW - 1 }, { alg: 'none' }).kind, 'invalid');
  for (const exp of [undefined, null, String(NOW + 290), 'x', {}]) assert.equal(readClaims({ exp }).kind, 'invalid');
});

test('path and names must be those of the request, whatever the rest says', () => {
  for (const changed of [{ slot: 'other' }, { filename: 'other.png' }, { slot: 7 }, { filename: null }, { slot: '' }]) {
    assert.equal(readClaims(changed).kind, 'invalid', JSON.stringify(changed));
  }
  // The boundary between the two may lie anywhere: what is signed is the whole.
  assert.equal(readClaims({ slot: `${claims.slot}/a`, filename: 'b' }).kind, 'invalid');
});

test('without expiry, owner and type a token says nothing of them; malformed ones are refused', () => {
  const bare = readClaims({ expires: undefined, sub: undefined, filetype: undefined });
  assert.ok(bare.kind === 'token');
  assert.deepEqual([bare.expiresAtMs, bare.owner, bare.type], [null, null, null]);
  for (const changed of [
    { expires: 'soon' },
    { expires: [1] },
    { sub: 7 },
    { sub: 'x'.repeat(2_048) },
    { filetype: 1 },
  ]) {
    assert.equal(readClaims(changed).kind, 'invalid', JSON.stringify(changed).slice(0, 40));
  }
  const distant = readClaims({ expires: 1e300 });
  assert.ok(distant.kind === 'token');
  assert.equal(distant.expiresAtMs, null);
});

test('A41 only HS256 without critical extensions is a token, other header fields are ignored (RFC 7515 §4.1.11)', () => {
  assert.equal(readClaims({}, { alg: 'HS256', kid: 'x', jku: 'https://evil.example/', cty: 'JWT' }).kind, 'token');
  const headers = [
    { alg: 'none' },
    { alg: 'HS512' },
    { alg: 'hs256' },
    { alg: ['HS256'] },
    {},
    { alg: 'HS256', crit: [] },
  ];
  for (const header of headers) assert.equal(readClaims({}, header).kind, 'invalid', JSON.stringify(header));
});

test('A41 a token has three parts, each in the one spelling of base64url, and the last one has 32 bytes', () => {
  const token = signJwt(SECRET, claims);
  const [header = '', payload = '', mac = ''] = token.split('.');
  const last = mac.slice(0, -1);
  const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
    (digit) => last + digit,
  );
  const sameBytes = spellings.filter((text) => Buffer.from(text, 'base64url').equals(Buffer.from(mac, 'base64url')));
  assert.equal(sameBytes.length, 4);
  assert.equal(sameBytes.filter((text) => read(`${header}.${payload}.${text}`).kind === 'token').length, 1);
  const malformed = [
    '',
    header,
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `${token}.`,
    `.${token}`,
    `${token}=`,
    `${header}.${payload}.${mac}AA`,
    `${header}=.${payload}.${mac}`,
    `${header} .${payload}.${mac}`,
    `${header}.${Buffer.from('[1]').toString('base64url')}.${mac}`,
    `${header}.${Buffer.from('null').toString('base64url')}.${mac}`,
    `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${mac}`,
  ];
  for (const text of malformed) assert.equal(read(text).kind, 'invalid', text.slice(0, 60));
});

test('A41 a token of a megabyte is refused before it is read', () => {
  const long = signJwt(SECRET, { ...claims, padding: 'x'.repeat(1_000_000) });
  const startedMs = performance.now();
  for (let count = 0; count < 1_000; count += 1) assert.equal(read(long).kind, 'invalid');
  assert.ok(performance.now() - startedMs < 1_000);
});

test('A77 claims are never looked for among the properties of every object', () => {
  const payload = `{"__proto__":${JSON.stringify(claims)},"constructor":1}`;
  const text = [JSON.stringify({ alg: 'HS256' }), payload]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  assert.equal(read(`${text}.${'A'.repeat(43)}`).kind, 'invalid');
});

test('A76 no text makes the reader throw, and no change of a token keeps both its text and its MAC', () => {
  const token = signJwt(SECRET, claims);
  const original = read(token);
  assert.ok(original.kind === 'token');
  const changed = fc
    .tuple(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.=% \u00e9'), fc.boolean())
    .map(([at, text, replaces]) => token.slice(0, at) + text + token.slice(replaces ? at + 1 : at));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), changed), (text) => {
      const result = read(text);
      if (text === token || result.kind !== 'token') return;
      assert.ok(result.mac !== original.mac || result.signedText !== original.signedText, text);
    }),
    { numRuns: 100_000 },
  );
});
