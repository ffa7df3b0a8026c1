/** What is said about a file besides its bytes: type, validators, caching, and how a browser may treat it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Representation, represent, servedType } from '../../src/main/download/representation.ts';
import { safeField } from '../../src/main/http/fields.ts';
import { isMediaType } from '../../src/main/http/media-type.ts';
import type { FileInfo, FileKey } from '../../src/shared/files.ts';

const INFO: FileInfo = {
  size: 5,
  modifiedMs: Date.UTC(2020, 1, 3, 4, 5, 6, 789),
  validator: 'abc-5',
  type: null,
  sha256: null,
};
const RULES = { hasRanges: true, isReplaceable: false };

function of(key: string, info: Partial<FileInfo> = {}, rules: Partial<typeof RULES> = {}): Representation {
  return represent(key as FileKey, { ...INFO, ...info }, { ...RULES, ...rules });
}

function fieldIn(file: Representation, name: string, from: 'fields' | 'notModifiedFields' = 'fields'): string {
  return file[from].find((field) => field[0] === name)?.[1] ?? '';
}

const types: readonly (readonly [key: string, type: string])[] = [
  ['photo.png', 'image/png'],
  ['photo.PNG', 'image/png'],
  ['a.tar.gz', 'application/gzip'],
  ['note.txt', 'text/plain'],
  ['page.html', 'text/html'],
  ['drawing.svg', 'image/svg+xml'],
  ['none', 'application/octet-stream'],
  ['x.unknown-extension', 'application/octet-stream'],
  ['folder.png/none', 'application/octet-stream'],
  ['.htaccess', 'application/octet-stream'],
  ['dot.', 'application/octet-stream'],
  ['x.__proto__', 'application/octet-stream'],
  ['x.constructor', 'application/octet-stream'],
];

for (const [key, type] of types) {
  test(`${key} is served as ${type}`, () => assert.equal(servedType(key as FileKey), type));
}

test('the stored type beats the one of the extension; text that nobody described is UTF-8', () => {
  assert.equal(of('a.txt', { type: 'text/plain; charset=latin1' }).type, 'text/plain; charset=latin1');
  assert.equal(of('a.txt', { type: 'text/plain' }).type, 'text/plain');
  assert.equal(of('a.txt').type, 'text/plain; charset=utf-8');
  assert.equal(of('a.html').type, 'text/html; charset=utf-8');
  assert.equal(of('a.png').type, 'image/png');
});

test('the validators are a strong quoted tag and a date in whole seconds (RFC 9110 §8.8)', () => {
  const file = of('a.png');
  assert.equal(fieldIn(file, 'ETag'), '"abc-5"');
  assert.equal(fieldIn(file, 'Last-Modified'), 'Mon, 03 Feb 2020 04:05:06 GMT');
  assert.deepEqual(file.validators, { etag: '"abc-5"', lastModifiedMs: INFO.modifiedMs });
});

test('Last-Modified is never in the future (RFC 9110 §8.8.2.1)', () => {
  const file = of('a.png', { modifiedMs: Date.now() + 86_400_000 });
  assert.ok(Date.parse(fieldIn(file, 'Last-Modified')) <= Date.now());
  assert.ok(file.validators.lastModifiedMs <= Date.now());
});

test('a content that cannot change may be kept for ever, one that can must be asked for', () => {
  assert.equal(fieldIn(of('a'), 'Cache-Control'), 'public, max-age=86400, immutable, no-transform');
  assert.equal(fieldIn(of('a', {}, { isReplaceable: true }), 'Cache-Control'), 'public, no-cache, no-transform');
});

test('ranges are announced as they are served', () => {
  assert.equal(fieldIn(of('a'), 'Accept-Ranges'), 'bytes');
  assert.equal(fieldIn(of('a', {}, { hasRanges: false }), 'Accept-Ranges'), 'none');
});

test('only images, video, audio and plain text stay in place; all else is an attachment', () => {
  const inline = ['a.png', 'a.jpg', 'a.mp4', 'a.ogg', 'a.mp3', 'a.txt'];
  const attached = ['a.html', 'a.svg', 'a.xml', 'a.js', 'a.pdf', 'a.css', 'a.swf', 'a.json', 'a', 'a.zip', 'a.xhtml'];
  for (const key of inline) assert.equal(fieldIn(of(key), 'Content-Disposition'), '', key);
  for (const key of attached) assert.match(fieldIn(of(key), 'Content-Disposition'), /^attachment; filename="?a/, key);
  for (const type of [
    'image/svg+xml',
    'IMAGE/SVG+XML; a=b',
    'image/png\u00a0',
    'image',
    'text/html',
    'image/png,text/html',
  ]) {
    assert.match(fieldIn(of('a.png', { type }), 'Content-Disposition'), /^attachment/, type);
  }
});

test('304 repeats validators and caching, not what describes a body (RFC 9110 §15.4.5)', () => {
  const file = of('a.zip');
  for (const name of ['ETag', 'Last-Modified', 'Cache-Control']) {
    assert.equal(fieldIn(file, name, 'notModifiedFields'), fieldIn(file, name));
  }
  for (const name of ['Content-Type', 'Content-Disposition', 'Accept-Ranges']) {
    assert.equal(fieldIn(file, name, 'notModifiedFields'), '');
  }
});

/** No lone surrogates: UTF-8 can say it. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

test('any name makes fields that are safe to send, with a filename* of at most 255 bytes (RFC 8187)', () => {
  const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }).filter(isWellFormed);
  fc.assert(
    fc.property(segment, (name) => {
      const key = `folder/${name.replaceAll(/[/\p{Cc}]/gu, '_')}`;
      const file = of(key, { type: 'application/zip' });
      for (const [field, value] of file.fields) safeField(field, value);
      const exact = /filename\*=UTF-8''(\S+)$/.exec(fieldIn(file, 'Content-Disposition'))?.[1];
      if (exact === undefined) return;
      const decoded = decodeURIComponent(exact);
      assert.ok(Buffer.byteLength(decoded) <= 255);
      assert.ok(key.includes(decoded.slice(0, 8)) || decoded.includes('.'));
    }),
  );
});

test('a name is cut between characters and keeps a short extension', () => {
  for (const [name, end] of [
    [`${'😀'.repeat(100)}.zip`, '.zip'],
    [`${'é'.repeat(200)}.tar.gz`, 'é.gz'],
    ['x'.repeat(300), 'x'],
    [`x.${'y'.repeat(300)}`, 'y'],
  ] as const) {
    const disposition = fieldIn(of(name, { type: 'application/zip' }), 'Content-Disposition');
    const [, exact, plain] = /(?:filename\*=UTF-8''(\S+)|filename="?([^"]+)"?)$/.exec(disposition) ?? [];
    const offered = exact === undefined ? (plain ?? '') : decodeURIComponent(exact);
    assert.ok(offered.endsWith(end) && isWellFormed(offered), offered);
    assert.ok(Buffer.byteLength(offered) <= 255);
  }
});

test('every type that the table of extensions gives is a media type', () => {
  for (const extension of ['png', 'txt', 'html', 'docx', 'm4a', 'wasm', 'ics', 'vcf']) {
    assert.ok(isMediaType(of(`a.${extension}`).type), extension);
  }
});
