/** Records and long names: written where the file cannot speak for itself, believed only when whole and its own. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../../src/workers/storage/record-format.ts';
import { locate } from '../../src/workers/storage/store-layout.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';

const TYPE = 'application/x-own; version="1"';
const SHA256 = '0123456789abcdef'.repeat(4);
const NOT_FOUND = { name: 'StorageError', code: 'not-found' };

let store: StoreFixture;

before(() => {
  store = new StoreFixture();
});

after(() => store.remove());

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Paths of the records of one key. */
function recordsOf(key: string): readonly string[] {
  const hash = hashOf(key);
  const folder = store.pathOf('.hfs/records', hash.slice(0, 2), hash);
  return readdirSync(folder).map((name) => `${folder}/${name}`);
}

function recordOf(key: string): string {
  const [record, ...others] = recordsOf(key);
  assert.ok(record !== undefined && others.length === 0);
  return record;
}

test('a record is written only when the file cannot say it: a type of its own, a long name', async () => {
  await keep(store.storage, 'plain.txt', 'x');
  assert.deepEqual(store.recordFiles(), []);
  await keep(store.storage, 'typed.txt', 'x', TYPE);
  assert.equal(store.recordFiles().length, 1);
  await keep(store.storage, `${'l'.repeat(256)}.txt`, 'x');
  assert.equal(store.recordFiles().length, 2);
});

test('a record says path and type under a checksum, and is named after time and size of its content', async () => {
  await keep(store.storage, 'described.txt', 'content', TYPE);
  const record = recordOf('described.txt');
  const { mtimeNs } = statSync(store.pathOf('described.txt'), { bigint: true });
  assert.ok(record.endsWith(`/${mtimeNs}-7.json`));
  assert.equal(statSync(record).mode & 0o777, 0o600);
  const described = {
    path: 'described.txt',
    type: TYPE,
    sha256: null,
    expiresMs: null,
    owner: null,
    usableUntilMs: null,
  };
  assert.deepEqual(decodeRecord(readFileSync(record, 'utf8')), described);
  assert.equal(readFile(store.storage, 'described.txt').info.type, TYPE);
});

test('F35 a record that is cut, empty, changed or foreign counts as absent', async () => {
  await keep(store.storage, 'damaged.txt', 'content', TYPE);
  const record = recordOf('damaged.txt');
  const text = readFileSync(record, 'utf8');
  const damaged = ['', '{', text.slice(0, -3), text.replace('x-own', 'x-evil'), text.replace('"v":1', '"v":2'), 'null'];
  for (const content of [...damaged, '[]', '"x"', `${text}${text}`, 'x'.repeat(100_000), '{"v":1}']) {
    writeFileSync(record, content);
    assert.equal(readFile(store.storage, 'damaged.txt').info.type, null, content.slice(0, 50));
  }
  writeFileSync(record, text);
  assert.equal(readFile(store.storage, 'damaged.txt').info.type, TYPE);
});

test('A17 a record swapped by hand does not lend its type to another file', async () => {
  await keep(store.storage, 'lender.txt', 'content', 'text/html');
  await keep(store.storage, 'borrower.txt', 'content', 'text/plain');
  writeFileSync(recordOf('borrower.txt'), readFileSync(recordOf('lender.txt')));
  assert.equal(readFile(store.storage, 'borrower.txt').info.type, null);
});

test('a file changed by hand has no record any more, and has it again when it is put back', async () => {
  await keep(store.storage, 'changed.txt', 'content', TYPE);
  const [file, aside] = ['changed.txt', '../aside'].map((name) => store.pathOf(name)) as [string, string];
  renameSync(file, aside);
  writeFileSync(file, 'CONTENT');
  assert.equal(readFile(store.storage, 'changed.txt').info.type, null);
  renameSync(aside, file);
  assert.equal(readFile(store.storage, 'changed.txt').info.type, TYPE);
});

test('two contents of one name never share a record, although they have the same time and size', async () => {
  const uploads = Array.from({ length: 5 }, (_, index) =>
    stage(store.storage, 'same.txt', Buffer.from(`${index}`), `x/${index}`),
  );
  for (const name of store.stagingFiles()) utimesSync(store.pathOf('.hfs/staging', name), 1e9, 1e9);
  const outcomes = await Promise.allSettled(uploads.map((upload) => upload.commit()));
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
  const { info, text } = readFile(store.storage, 'same.txt');
  assert.deepEqual([text, info.type], [`${winner}`, `x/${winner}`]);
  assert.equal(recordsOf('same.txt').length, 1, 'the losers took their records back');
});

test('an upload that fails at its commit leaves no record (storage-commit promise 3)', async () => {
  const before = store.recordFiles();
  const late = stage(store.storage, 'late/below.txt', Buffer.from('x'), TYPE);
  await keep(store.storage, 'late', 'file');
  await assert.rejects(late.commit(), { name: 'StorageError', code: 'path-conflict' });
  const short = store.storage.createUpload({ key: keyOf('short.txt'), size: 5, type: TYPE });
  await assert.rejects(short.commit(), { name: 'StorageError', code: 'size-mismatch' });
  assert.deepEqual(
    store.recordFiles().filter((path) => !before.includes(path)),
    [],
  );
});

test('records of any path and type are read back as they were written', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.option(fc.string()),
      fc.boolean(),
      fc.option(fc.maxSafeNat()),
      fc.option(fc.string({ unit: 'binary' })),
      fc.option(fc.maxSafeNat()),
      (path, type, isKnown, expiresMs, owner, usableUntilMs) => {
        const record = { path, type, sha256: isKnown ? SHA256 : null, expiresMs, owner, usableUntilMs };
        assert.deepEqual(decodeRecord(encodeRecord(record)), record);
      },
    ),
  );
});

test('records of the first format are still read, and still written where there is no digest', () => {
  const text = '{"v":1,"path":"a/b.txt","type":"text/x-own","check":"CHECK"}\n';
  const check = createHash('sha256').update('{"v":1,"path":"a/b.txt","type":"text/x-own"}').digest('hex').slice(0, 16);
  const record = {
    path: 'a/b.txt',
    type: 'text/x-own',
    sha256: null,
    expiresMs: null,
    owner: null,
    usableUntilMs: null,
  };
  assert.deepEqual(decodeRecord(text.replace('CHECK', check)), record);
  assert.equal(encodeRecord(record), text.replace('CHECK', check));
});

test('F35 a record with a changed digest, a digest that is none, or one of a later format counts as absent', () => {
  const whole = encodeRecord({
    path: 'a',
    type: null,
    sha256: SHA256,
    expiresMs: null,
    owner: null,
    usableUntilMs: null,
  });
  assert.notEqual(decodeRecord(whole), null);
  const sealed = (body: string): string => {
    const check = createHash('sha256').update(body).digest('hex').slice(0, 16);
    return `${body.slice(0, -1)},"check":"${check}"}`;
  };
  assert.notEqual(decodeRecord(sealed(`{"v":2,"path":"a","type":null,"sha256":"${SHA256}"}`)), null);
  assert.notEqual(decodeRecord(sealed('{"v":3,"path":"a","type":null,"owner":"a@b","until":5}')), null);
  const absent = [
    whole.replace('0123', '1123'),
    sealed('{"v":2,"path":"a","type":null,"sha256":"0123"}'),
    sealed('{"v":2,"path":"a","type":null}'),
    sealed('{"v":2,"path":"a","type":null,"expires":"soon"}'),
    sealed('{"v":1,"path":"a","type":null,"expires":1}'),
    sealed(`{"v":1,"path":"a","type":null,"sha256":"${SHA256}"}`),
    sealed(`{"v":3,"path":"a","type":null,"sha256":"${SHA256}"}`),
    sealed('{"v":2,"path":"a","type":null,"owner":"a@b"}'),
    sealed('{"v":3,"path":"a","type":null,"owner":7}'),
    sealed('{"v":3,"path":"a","type":null,"until":"soon"}'),
    sealed('{"v":4,"path":"a","type":null,"owner":"a@b"}'),
    sealed('{"v":1,"path":7,"type":null}'),
    sealed('{"v":1,"path":"a"}'),
    sealed('[]'),
  ];
  for (const text of absent) assert.equal(decodeRecord(text), null, text);
});

const longNames: readonly (readonly [what: string, key: string])[] = [
  ['a segment of 256 bytes', `a/${'b'.repeat(256)}`],
  ['a segment of 86 letters of three bytes', '€'.repeat(86)],
  ['a folder of 256 bytes', `${'f'.repeat(256)}/file`],
  ['a path of 3,001 bytes', Array(12).fill('p'.repeat(249)).join('/').padEnd(3001, 'q')],
  ['4,000 bytes in 500 levels', Array(500).fill('levels7').join('/')],
];

for (const [what, key] of longNames) {
  test(`A16 ${what} is stored as a long name and read back`, async () => {
    assert.equal(locate(keyOf(key), hashOf(key)).isLongName, true);
    assert.throws(() => readFile(store.storage, key), NOT_FOUND);
    const info = await keep(store.storage, key, what, TYPE);
    assert.deepEqual(readFile(store.storage, key), { info, text: what });
    assert.throws(() => stage(store.storage, key, Buffer.from('x')), { code: 'exists' });
    assert.ok(statSync(store.pathOf('.hfs/long', hashOf(key).slice(0, 2), hashOf(key))).isFile());
  });
}

const plainNames: readonly (readonly [what: string, key: string])[] = [
  ['a segment of 255 bytes', `a/${'b'.repeat(255)}`],
  ['a segment of 85 letters of three bytes', '€'.repeat(85)],
  ['a path of 3,000 bytes', Array(12).fill('p'.repeat(249)).join('/').padEnd(3000, 'q')],
  ['300 levels', Array(300).fill('d').join('/')],
];

for (const [what, key] of plainNames) {
  test(`A16 ${what} is stored as it stands`, async () => {
    const info = await keep(store.storage, key, what);
    assert.deepEqual(readFile(store.storage, key), { info, text: what });
    assert.equal(statSync(store.pathOf(key)).size, Buffer.byteLength(what));
  });
}

test('A17 a long name without its record, or with that of another path, is not found', async () => {
  const [first, second] = ['1', '2'].map((end) => 'n'.repeat(300) + end) as [string, string];
  await keep(store.storage, first, 'first');
  await keep(store.storage, second, 'other');
  const record = recordOf(first);
  const text = readFileSync(record);
  writeFileSync(record, readFileSync(recordOf(second)));
  assert.throws(() => readFile(store.storage, first), NOT_FOUND);
  truncateSync(record);
  assert.throws(() => readFile(store.storage, first), NOT_FOUND);
  writeFileSync(record, text);
  assert.equal(readFile(store.storage, first).text, 'first');
});
