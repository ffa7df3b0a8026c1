/** Media types: what is well-formed, what is stored, what browsers may show in place. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeField } from '../../src/main/http/fields.ts';
import { essence, isInlineSafe, isMediaType, storableType, withoutParameters } from '../../src/main/http/media-type.ts';

test('accepts media types of RFC 9110 §8.3.1', () => {
  const types = ['text/plain', 'Image/PNG', 'text/plain;charset=utf-8', 'text/plain ; charset=utf-8', 'a/b;c="d e"'];
  const more = ['a/b;', 'a/b; ;c=d', 'a/b;c="\\"\\\\"', 'application/vnd.a+b-c.d', `a/${'b'.repeat(253)}`, 'a/b;c=""'];
  for (const type of [...types, ...more]) assert.ok(isMediaType(type), type);
});

test('refuses what is not one, is not visible ASCII, or is longer than 255', () => {
  const types = ['', 'text', 'text/', '/plain', 'a/b/c', 'a/b;c', 'a/b;c=', 'a/b;=d', 'a/b;c="d', 'a/b;c=d e', ' a/b'];
  const more = [
    'a/b ',
    'a/b, c/d',
    'a/b\r\nX: y',
    'a/b;c="\r\n"',
    'a/b;c="\u00e9"',
    'a/b;\tc=d',
    'a\0/b',
    'bl\u00e4/x',
  ];
  for (const type of [...types, ...more, `a/${'b'.repeat(254)}`]) assert.ok(!isMediaType(type), JSON.stringify(type));
});

test('stores the type, else its part before the semicolon, else application/octet-stream', () => {
  const table: readonly (readonly [type: string, stored: string])[] = [
    ['text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
    ['text/html;x', 'text/html'],
    ['text/html \t; x', 'text/html'],
    [`text/html; a=${'b'.repeat(300)}`, 'text/html'],
    ['', 'application/octet-stream'],
    [';', 'application/octet-stream'],
    ['image/png, text/html', 'application/octet-stream'],
    ['text', 'application/octet-stream'],
  ];
  for (const [type, stored] of table) assert.equal(storableType(type), stored, type);
});

test('a stored type is well-formed and safe in a response field, whatever it was made of', () => {
  const part = fc.constantFrom('a', '/', ';', '=', '"', ' ', '\\', '\r', '\n', '\0', ',', '\u00e9', 'text/html');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const stored = storableType(parts.join(''));
      assert.ok(isMediaType(stored));
      safeField('Content-Type', stored);
    }),
    { numRuns: 1000 },
  );
});

test('the essence is lower case and has no parameters', () => {
  assert.equal(essence('Text/HTML ; a=b'), 'text/html');
  assert.equal(withoutParameters('Text/HTML\t;a'), 'Text/HTML');
});

test('A50 only images, video, audio and plain text are shown in place, and nothing that is XML', () => {
  const inline = ['image/png', 'IMAGE/PNG', 'video/mp4', 'audio/ogg;codecs=opus', 'text/plain;charset=utf-8'];
  for (const type of inline) assert.ok(isInlineSafe(type), type);
  const active = [
    'image/svg+xml',
    'Image/SVG+XML;charset=utf-8',
    'image/x+xml',
    'text/html',
    'text/html;x',
    'text/xml',
  ];
  const malformed = ['image/png, text/html', 'image/', 'image/png;x', 'text/plain\r\n', ''];
  const other = ['application/pdf', 'text/css', 'application/octet-stream', 'imagex/png', 'text/plainx'];
  for (const type of [...active, ...malformed, ...other]) assert.ok(!isInlineSafe(type), type);
});

test('reads grown types in linear time', () => {
  for (const unit of [';', ' ', '; ', ' ;', '"', '\\', 'a=b;', 'a/']) {
    const started = performance.now();
    storableType(`a/b${unit.repeat(500_000)}`);
    isMediaType(`a/b${unit.repeat(252 / unit.length)}`);
    isMediaType(`a/b${unit.repeat(250 / unit.length)}\u00e9`);
    assert.ok(performance.now() - started < 2000, unit);
  }
});
