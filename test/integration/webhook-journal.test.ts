/** The queue of webhooks on disk: what waits outlives the process, what is done does not come back. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { WebhookJournal } from '../../src/main/webhooks/webhook-journal.ts';

/** No process has this id: it is above what the kernel gives. */
const DEAD_PID = 99_999_999;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webhooks-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function openJournal(): Promise<WebhookJournal> {
  const journal = new WebhookJournal({ folder: join(folder, 'queue'), onError: (error) => assert.fail(String(error)) });
  await journal.open();
  return journal;
}

const files = (): string[] => readdirSync(join(folder, 'queue'));
const message = (id: string, body = '{}') => ({ id, createdMs: 1, body });
const idsOf = (messages: readonly { readonly id: string }[]): string[] => messages.map(({ id }) => id);

test('what was not done with is taken over by the next process, once', async () => {
  const first = await openJournal();
  for (const id of ['a', 'b', 'c']) first.add(message(id));
  first.done('b');
  await first.close();
  const second = await openJournal();
  assert.deepEqual(idsOf(await second.adopt()), ['a', 'c']);
  assert.deepEqual(await second.adopt(), []);
  second.done('a');
  await second.close();
  const third = await openJournal();
  assert.deepEqual(idsOf(await third.adopt()), ['c']);
  await third.close();
});

test('nothing stays when nothing waits', async () => {
  const journal = await openJournal();
  journal.add(message('a'));
  journal.done('a');
  await journal.close();
  assert.deepEqual(files(), []);
});

test('a line that was torn by the end of its process costs that line alone', async () => {
  const journal = await openJournal();
  journal.add(message('a'));
  await journal.close();
  const [name = ''] = files();
  appendFileSync(join(folder, 'queue', name), '{"add":{"id":"b","cre');
  const next = await openJournal();
  assert.deepEqual(idsOf(await next.adopt()), ['a']);
  await next.close();
});

test('the file of a process that lives is left alone, that of a dead one is taken over', async () => {
  const journal = await openJournal();
  const line = (id: string): string => `${JSON.stringify({ add: message(id) })}\n`;
  writeFileSync(join(folder, 'queue', `${process.ppid}-00.jsonl`), line('living'));
  writeFileSync(join(folder, 'queue', `${DEAD_PID}-00.jsonl`), line('dead'));
  writeFileSync(join(folder, 'queue', 'notes.txt'), 'mine');
  assert.deepEqual(idsOf(await journal.adopt()), ['dead']);
  assert.ok(files().includes(`${process.ppid}-00.jsonl`) && files().includes('notes.txt'));
  await journal.close();
});

test('a journal that has grown is begun anew, and holds what waits and no more', async () => {
  const journal = await openJournal();
  const body = 'x'.repeat(10_000);
  for (let n = 0; n < 1_000; n += 1) {
    journal.add(message(String(n), body));
    if (n > 0) journal.done(String(n));
    if (n % 50 === 0) await journal.flush();
  }
  await journal.flush();
  const [name = '', ...others] = files();
  assert.deepEqual(others, []);
  assert.ok(statSync(join(folder, 'queue', name)).size < 5_000_000);
  assert.match(readFileSync(join(folder, 'queue', name), 'utf8'), /^{"add":{"id":"0"/);
  await journal.close();
});

test('files and folder are for the server alone', async () => {
  const journal = await openJournal();
  journal.add(message('a'));
  await journal.close();
  const [name = ''] = files();
  assert.equal(statSync(join(folder, 'queue')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'queue', name)).mode & 0o777, 0o600);
});

test('a disk that refuses is told, and stops nothing', async () => {
  const errors: unknown[] = [];
  const journal = new WebhookJournal({ folder: join(folder, 'queue'), onError: (error) => errors.push(error) });
  await journal.open();
  const gone = join(folder, 'gone');
  renameSync(join(folder, 'queue'), gone);
  writeFileSync(join(folder, 'queue'), 'no folder');
  for (let n = 0; n < 500; n += 1) journal.add(message(String(n), 'x'.repeat(10_000)));
  await journal.flush();
  assert.equal(errors.length, 1);
  rmSync(join(folder, 'queue'));
});
