/** The contract of the storage port, for every implementation of it, on real folders. */

import assert from 'node:assert/strict';
import { readdirSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';

/** Each yields a fresh store. */
const implementations = [
  ['FilesystemStorage, Durability = full', () => new StoreFixture()],
  ['FilesystemStorage, Durability = none', () => new StoreFixture({ durability: 'none' })],
] as const;

const failure = (code: string): { name: string; code: string } => ({ name: 'StorageError', code });

/** 64 ways of two folders each stay open for a while; a descriptor lost in each round would be noticed. */
const OPEN_FOLDERS = 2 * 64;
const ROUNDS = 200;

for (const [name, make] of implementations) {
  describe(`${name}: uploads`, () => {
    const store = make();
    const { storage } = store;
    after(() => store.remove());

    it('shows nothing before the commit and everything after it', async () => {
      const upload = stage(storage, 'new/file.txt', Buffer.from('content'));
      assert.equal(upload.writtenBytes, 7);
      assert.throws(() => readFile(storage, 'new/file.txt'), failure('not-found'));
      const { file } = await upload.commit();
      assert.deepEqual(file, { size: 7, sha256: null });
      assert.equal(readFile(storage, 'new/file.txt').text, 'content');
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('keeps a file of no bytes', async () => {
      const info = await keep(storage, 'empty', '');
      assert.equal(info.size, 0);
      assert.deepEqual(readFile(storage, 'empty'), { info, text: '' });
    });

    it('keeps whatever is written, in whatever pieces', async () => {
      let count = 0;
      const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(pieces, async (parts) => {
          const key = `pieces/${count}`;
          count += 1;
          const whole = Buffer.concat(parts);
          const upload = storage.createUpload({ key: keyOf(key), size: whole.length, type: null });
          for (const part of parts) upload.write(part);
          await upload.commit();
          const file = storage.openFile(keyOf(key));
          const read = Buffer.alloc(whole.length);
          assert.equal(file.read(read, 0), whole.length);
          file.close();
          assert.ok(read.equals(whole));
        }),
        { numRuns: 25 },
      );
    });

    it('refuses more bytes than declared when they are written, and fewer at the commit', async () => {
      const order = { key: keyOf('sizes'), size: 5, type: null };
      const more = storage.createUpload(order);
      more.write(Buffer.from('1234'));
      assert.throws(() => more.write(Buffer.from('56')), failure('size-mismatch'));
      more.discard();
      const fewer = storage.createUpload(order);
      fewer.write(Buffer.from('1234'));
      await assert.rejects(fewer.commit(), failure('size-mismatch'));
      assert.throws(() => readFile(storage, 'sizes'), failure('not-found'));
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('leaves nothing of a discarded upload, and discards without complaint', () => {
      const upload = stage(storage, 'discarded/file', Buffer.from('x'));
      for (const staged of store.stagingFiles()) unlinkSync(store.pathOf('.hfs/staging', staged));
      upload.discard();
      upload.discard();
      stage(storage, 'discarded/file', Buffer.from('x')).discard();
      assert.deepEqual(store.stagingFiles(), []);
      assert.throws(() => readFile(storage, 'discarded/file'), failure('not-found'));
      assert.ok(!readdirSync(store.settings.storeDir).includes('discarded'));
    });
  });

  describe(`${name}: conflicts`, () => {
    const store = make();
    const { storage } = store;
    after(() => store.remove());

    it('refuses a name that is taken before the body, and at the commit whoever comes second', async () => {
      const [first, second] = ['first', 'other!'].map((text) => stage(storage, 'race', Buffer.from(text)));
      await first?.commit();
      await assert.rejects(second?.commit() ?? Promise.resolve(), failure('exists'));
      assert.throws(() => stage(storage, 'race', Buffer.from('third')), failure('exists'));
      assert.equal(readFile(storage, 'race').text, 'first');
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('lets exactly one of many commits of one name win', async () => {
      const uploads = Array.from({ length: 10 }, (_, index) => stage(storage, 'crowd', Buffer.from(`${index}`)));
      const outcomes = await Promise.allSettled(uploads.map((upload) => upload.commit()));
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
      assert.equal(readFile(storage, 'crowd').text, `${winner}`);
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('A18 refuses a file where a folder is needed, and a folder where the file should be', async () => {
      await keep(storage, 'conflict/file', 'x');
      assert.throws(() => stage(storage, 'conflict/file/below', Buffer.from('x')), failure('path-conflict'));
      assert.throws(() => stage(storage, 'conflict/file/far/below', Buffer.from('x')), failure('path-conflict'));
      assert.throws(() => stage(storage, 'conflict', Buffer.from('x')), failure('path-conflict'));
      const below = stage(storage, 'late/below', Buffer.from('x'));
      await keep(storage, 'late', 'file');
      await assert.rejects(below.commit(), failure('path-conflict'));
      assert.equal(readFile(storage, 'late').text, 'file');
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('keeps nothing open after success and failure but a bounded number of folders', async () => {
      const before = readdirSync('/proc/self/fd').length;
      for (let index = 0; index < ROUNDS; index += 1) {
        await keep(storage, `descriptors/${index}/file`, 'x', 'image/x-own');
        readFile(storage, `descriptors/${index}/file`);
        assert.throws(() => readFile(storage, `descriptors/${index}/none/none`), failure('not-found'));
        assert.throws(() => stage(storage, `descriptors/${index}/file/below`, Buffer.from('x')));
        stage(storage, 'descriptors/discarded', Buffer.from('x')).discard();
      }
      const more = readdirSync('/proc/self/fd').length - before;
      assert.ok(more <= OPEN_FOLDERS && OPEN_FOLDERS < ROUNDS, `${more} more descriptors after ${ROUNDS} rounds`);
    });
  });

  describe(`${name}: reading`, () => {
    const store = make();
    const { storage } = store;
    after(() => store.remove());

    it('reads from any position, and fewer bytes only at the end', async () => {
      await keep(storage, 'read', '0123456789');
      const file = storage.openFile(keyOf('read'));
      const at = (position: number, length: number): string => {
        const target = new Uint8Array(length);
        return Buffer.from(target.subarray(0, file.read(target, position))).toString();
      };
      assert.deepEqual(
        [at(0, 4), at(4, 4), at(8, 4), at(10, 4), at(50, 4), at(9, 1)],
        ['0123', '4567', '89', '', '', '9'],
      );
      file.close();
    });

    it('serves an open file to its end, whatever happens to its name', async () => {
      await keep(storage, 'held', 'old content');
      const file = storage.openFile(keyOf('held'));
      const other = store.pathOf('../other');
      writeFileSync(other, 'new');
      renameSync(other, store.pathOf('held'));
      const bytes = new Uint8Array(11);
      assert.equal(file.read(bytes, 0), 11);
      assert.equal(Buffer.from(bytes).toString(), 'old content');
      file.close();
      assert.equal(readFile(storage, 'held').text, 'new');
    });

    it('gives a validator that is stable while the content is, and changes with it', async () => {
      const { validator } = await keep(storage, 'validated', 'one');
      assert.equal(readFile(storage, 'validated').info.validator, validator);
      writeFileSync(store.pathOf('validated'), 'two');
      const changed = readFile(storage, 'validated').info.validator;
      assert.notEqual(changed, validator);
      utimesSync(store.pathOf('validated'), 1_000_000_000, 1_000_000_000.000001);
      assert.notEqual(readFile(storage, 'validated').info.validator, changed);
      const sameTime = readFile(storage, 'validated').info.validator;
      writeFileSync(store.pathOf('validated'), 'three');
      utimesSync(store.pathOf('validated'), 1_000_000_000, 1_000_000_000.000001);
      assert.notEqual(readFile(storage, 'validated').info.validator, sameTime, 'another size is another content');
    });

    it('A04 A05 A12 keeps odd names apart, each under its own spelling', async () => {
      const names = ['%2e%2e', '..\\x', 'é', 'e\u0301', '...', 'x.', 'x ', ' x', '\u202egpj', 'CON', 'a:b', '-rf', '~'];
      for (const odd of names) await keep(storage, `odd/${odd}`, odd);
      for (const odd of names) assert.equal(readFile(storage, `odd/${odd}`).text, odd);
      assert.equal(readdirSync(store.pathOf('odd')).length, names.length);
    });

    it('finds no folder and nothing below a file', async () => {
      await keep(storage, 'folder/file', 'x');
      for (const path of ['folder', 'folder/file/below', 'folder/none', 'none/none']) {
        assert.throws(() => storage.openFile(keyOf(path)), failure('not-found'), path);
      }
    });

    it('reads a tree that somebody else has put there', () => {
      writeFileSync(store.pathOf('imported.txt'), 'imported');
      const { info, text } = readFile(storage, 'imported.txt');
      assert.deepEqual([text, info.size, info.type], ['imported', 8, null]);
    });
  });
}
