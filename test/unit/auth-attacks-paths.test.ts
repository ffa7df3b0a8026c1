/** Attacks on paths that the pure code decides. Each title begins with the number of the attack. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signV, signV2 } from '../support/sign.ts';
import { decide, put, slotServer } from '../support/slot-decision.ts';

const secret = 'your-very-secure-secret-key';
const server = slotServer();

/** Status of a PUT to a raw path below the base, signed for `path` (by default the raw path itself). */
function statusOf(raw: string, path = raw): number {
  return decide(put(`/files/${raw}?v=${signV(secret, path, 5)}`, 5), server).status;
}

function keyOf(raw: string, path: string): string | null {
  return decide(put(`/files/${raw}?v=${signV(secret, path, 5)}`, 5), server).key;
}

/** Each path, unsigned and signed for any of the names that it might be taken for. */
function refusesAll(rawPaths: readonly string[], paths: readonly string[] = rawPaths): void {
  for (const raw of rawPaths) {
    assert.equal(decide(put(`/files/${raw}`, 5), server).status, 400, `${raw} unsigned`);
    for (const path of [raw, ...paths]) assert.equal(statusOf(raw, path), 400, JSON.stringify(raw));
  }
}

test('A01 a plain . or .. as a segment is refused with 400 in every place, signed or not', () => {
  refusesAll(['../x', './x', 'a/../x', 'a/./x', 'a/..', 'a/.', '..', '.', '../files/x'], ['x', 'a/x', '../x']);
});

test('A02 %2e%2e as a segment is refused with 400', () => {
  refusesAll(['%2e%2e/x', '.%2e/x', '%2E%2E/x', '%2e/x', 'a/%2e', 'a/%2E.'], ['../x', './x', 'x']);
});

test('A03 an encoded slash is refused with 400', () => {
  refusesAll(['a%2fb', 'a%2Fb', '%2f', '..%2f..%2fx', '%2fetc%2fpasswd'], ['a/b', '../../x', '/etc/passwd']);
});

test('A04 an encoded percent sign is decoded once and stays a name', () => {
  assert.equal(keyOf('a/%252e%252e', 'a/%2e%2e'), 'a/%2e%2e');
  assert.equal(keyOf('a/%25252f', 'a/%252f'), 'a/%252f');
  assert.equal(keyOf('%2541', '%41'), '%41');
});

test('A05 backslashes are part of a name, plain or encoded', () => {
  for (const raw of ['..\\..\\x', '..%5c..%5Cx']) assert.equal(keyOf(raw, '..\\..\\x'), '..\\..\\x');
});

test('A06 encoded control characters are refused with 400 before the HMAC', () => {
  const codes = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index)];
  for (const code of codes) {
    const character = String.fromCodePoint(code);
    const raw = `a${encodeURIComponent(character)}b`;
    const decision = decide(put(`/files/${raw}?v=${signV(secret, `a${character}b`, 5)}`, 5), server);
    assert.deepEqual([decision.status, decision.check], [400, null], raw);
  }
  // The v2 message of (a, 5, t) read as the v message of a path with NULs in it.
  const forged = signV2(secret, 'a', 5, 't 7');
  assert.equal(decide(put(`/files/a%005%00t?v=${forged}`, 7), server).status, 400);
  refusesAll(['a%0d%0ab']);
});

test('A07 bytes that are no UTF-8 are refused with 400: overlong, Latin-1, surrogates, beyond U+10FFFF', () => {
  refusesAll(['%c0%ae', '%e0%80%ae', '%fc', '%ed%a0%80', '%f5', '%f5%80%80%80', '%f4%90%80%80', '%80', '%c3'], ['.']);
});

test('A08 raw UTF-8 is the same name as its encoded form', () => {
  for (const raw of ['\u00dc\u{1f600}', '%c3%9c\u{1f600}', '%C3%9C%F0%9F%98%80']) {
    assert.equal(keyOf(raw, '\u00dc\u{1f600}'), '\u00dc\u{1f600}');
  }
});

test('A09 a raw U+FFFD is refused with 400, an encoded one is a name', () => {
  refusesAll(['a\ufffd', '\ufffd\ufffd']);
  assert.equal(keyOf('a%ef%bf%bd', 'a\ufffd'), 'a\ufffd');
});

test('A10 incomplete and foreign escapes are refused with 400', () => {
  refusesAll(['%', '%4', '%zz', '%u0041', 'a%', '%%', '%2', '% 41']);
});

test('A11 empty segments and the base itself are refused without a redirect', () => {
  refusesAll(['', '/etc/passwd', '/x', 'x/', 'x//y']);
  for (const target of ['/files', '//etc/passwd', '/', '//files/x']) {
    assert.equal(decide(put(target, 5), server).status, 404, target);
  }
});

test('A12 NFC and NFD of one name are two names', () => {
  assert.equal(keyOf('%c3%bc', '\u00fc'), '\u00fc');
  assert.equal(keyOf('u%cc%88', 'u\u0308'), 'u\u0308');
  assert.equal(statusOf('u%cc%88', '\u00fc'), 403);
});

test('A13 bidirectional marks, zero-width characters, homoglyphs and emoji are names', () => {
  for (const name of ['a\u202egnp.exe', 'a\u200bb', 'p\u0430ypal', '\u{1f4a9}\u200d\u{1f525}']) {
    assert.equal(keyOf(encodeURIComponent(name), name), name);
    assert.equal(keyOf(name, name), name);
  }
});

test('A14 the reserved tree is refused with 400 in every spelling and for every method, signed or not', () => {
  const paths = ['.hfs', '.HFS', '.Hfs/x', '%2ehfs', '.%68fs/x', '.hfs/versions/aa/x', '.hfs/lock', '.hfs/u/a/b'];
  refusesAll(paths, ['.hfs', '.hfs/x', '.Hfs/x']);
  for (const method of ['GET', 'HEAD', 'DELETE', 'POST']) {
    for (const path of paths) {
      assert.equal(decide({ method, target: `/files/${path}`, fields: [] }, server).status, 400, path);
    }
  }
});

test('A15 other dots and spaces are names', () => {
  for (const name of ['.htaccess', '.well-known/x', 'a/.hfs', '...', 'x.', '%20x%20', '.hfsx', '.hf']) {
    assert.equal(statusOf(name, decodeURIComponent(name)), 201, name);
  }
});

test('A16 long segments, long paths and deep paths are names', () => {
  const paths = ['n'.repeat(256), '\u20ac'.repeat(86), `a/${'b'.repeat(2999)}`, 'd/'.repeat(499).concat('x')];
  for (const path of paths) assert.equal(statusOf(path), 201);
});

test('A23 what only looks like the base path is outside', () => {
  for (const target of ['/filesx', '/Files/x', '/file', '/files', '/%66iles/x', '/./files/x']) {
    assert.equal(decide(put(`${target}?v=${signV(secret, 'x', 5)}`, 5), server).status, 404, target);
  }
  assert.equal(statusOf('../files/x', 'x'), 400);
});

test('A24 raw controls, space and # are refused with 400; quotes and angle brackets are names', () => {
  refusesAll(['a b', 'a\tb', 'a\u007fb', 'a#b', '#', 'a\u0001', 'a\u0085'], ['a']);
  for (const name of ['a"b', 'a<b>', 'a|b', 'a^`{}']) assert.equal(statusOf(name), 201, name);
});
