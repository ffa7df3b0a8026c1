/**
 * What must hold for every upload service that signs for this server: real clients upload files of all sizes and names
 * and get them back, and a slot is good for exactly what was asked for.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { linesUpToNow } from '../../support/log-marker.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { settledTree } from '../../support/store-state.ts';
import { sendFile } from './go-sendxmpp.ts';
import { sendFilesTo } from './profanity.ts';
import { SampleFiles, servesFile } from './sample-files.ts';
import { type Slot, slotFor, uploadFiles } from './slixmpp.ts';
import { type Account, register, type XmppServer } from './xmpp-server.ts';

export interface UploadServiceCase {
  readonly title: string;
  readonly domain: string;
  /** Whether a slot is bound to the type that was asked for. */
  readonly signsType: boolean;
  /** Files of no bytes get no slot. */
  readonly refusesEmpty: boolean;
}

/** The servers that a suite talks to, running. */
export interface Servers {
  readonly xmpp: XmppServer;
  readonly files: ServerProcess;
}

/** Unlike what any extension gives: wrong types are not forgiven. */
const TYPE = 'image/x-of-this-test';

export function describeUploads(service: UploadServiceCase, servers: () => Servers): void {
  describe(service.title, () => {
    let samples: SampleFiles;
    let account: Account;

    before(async () => {
      samples = new SampleFiles();
      account = await register(servers().xmpp, 'alice', service.domain);
    });

    after(() => samples.remove());

    it('slixmpp uploads files of 0 bytes to 100 MiB, and their URLs serve them', async () => {
      const outcomes = await uploadFiles(
        account,
        samples.all.map(({ file, name }) => ({ file, name, type: TYPE })),
      );
      for (const [index, sample] of samples.all.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) assert.fail(`no outcome for ${sample.name}`);
        if (sample.size === 0 && service.refusesEmpty) assert.ok('error' in outcome);
        else
          assert.ok(
            'get' in outcome && (await servesFile(outcome.get, sample)),
            `${sample.name} ${JSON.stringify(outcome)}`,
          );
      }
    });

    it('go-sendxmpp uploads files of 0 bytes to 100 MiB, and their URLs serve them', async () => {
      const { files } = servers();
      for (const sample of samples.all) {
        if (sample.size === 0 && service.refusesEmpty) continue;
        const path = await pathOfNextUpload(files, () => sendFile(account, sample.file));
        assert.ok(await servesFile(files.origin + path, sample), `${sample.name} ${path}`);
      }
    });

    it('profanity sends files of 0 bytes to 100 MiB to a contact, and the URLs serve them', async () => {
      // What is typed has no way to write a quotation mark within quotation marks.
      const typed = samples.all.filter(
        ({ name, size }) => !name.includes('"') && !(size === 0 && service.refusesEmpty),
      );
      const urls = await sendFilesTo(
        `bob@${service.domain}`,
        account,
        typed.map(({ file }) => file),
      );
      assert.equal(urls.length, typed.length);
      for (const [index, sample] of typed.entries()) {
        const url = urls[index] ?? '';
        assert.ok(await servesFile(url, sample), `${sample.name} ${url}`);
      }
    });

    it('a slot is good for nothing but what was asked for, and once', async () => {
      const { files } = servers();
      const slot = await slotFor(account, { name: 'asked for.bin', size: 5, type: TYPE });
      const before = await settledTree(files);
      for (const [what, status] of await misuses(slot, service.signsType)) assert.equal(status, 403, what);
      assert.deepEqual(await settledTree(files), before);
      assert.equal(await putTo(slot, slot.put, 'right'), 201);
      const served = await fetch(slot.get);
      assert.deepEqual([served.headers.get('content-type'), await served.text()], [TYPE, 'right']);
      assert.equal(await putTo(slot, slot.put, 'again'), 409);
      assert.equal(await (await fetch(slot.get)).text(), 'right');
    });

    it('a server with another secret refuses the slot', async () => {
      const other = await ServerProcess.start({ settings: { Secret: 'another-secret-of-some-length' } });
      try {
        const slot = await slotFor(account, { name: 'other.bin', size: 5, type: TYPE });
        const { origin } = servers().files;
        assert.equal(await putTo(slot, slot.put.replace(origin, other.origin), 'right'), 403);
        assert.equal(await putTo(slot, slot.put, 'right'), 201);
      } finally {
        await other.stop();
      }
    });
  });
}

/** Every use of a slot that must be refused, and how it was answered. */
async function misuses(slot: Slot, signsType: boolean): Promise<readonly (readonly [what: string, status: number])[]> {
  const elsewhere = slot.put.replace('asked', 'stolen');
  const attempts: readonly (readonly [what: string, status: Promise<number>])[] = [
    ['a longer file', putTo(slot, slot.put, 'longer')],
    ['a shorter file', putTo(slot, slot.put, 'less')],
    ['another path', putTo(slot, elsewhere, 'right')],
    ['no signature', putTo({ ...slot, headers: {} }, slot.get, 'right')],
    ['another URL', putTo(slot, withOtherEnd(slot.put), 'right')],
    ...Object.entries(slot.headers).map(([name, value]) => {
      const altered = { ...slot, headers: { [name]: withOtherEnd(value) } };
      return [`another ${name}`, putTo(altered, slot.put, 'right')] as const;
    }),
    ...(signsType ? [['another type', putTo(slot, slot.put, 'right', 'text/html')] as const] : []),
  ];
  return Promise.all(attempts.map(async ([what, status]) => [what, await status] as const));
}

/** A signature, or a path without one, whose tenth character from the end is another. */
function withOtherEnd(text: string): string {
  const at = text.length - 10;
  return text.slice(0, at) + (text.charAt(at) === '0' ? '1' : '0') + text.slice(at + 1);
}

/** Status of a PUT of this body with the fields of the slot. */
async function putTo(slot: Slot, url: string, body: string, type = TYPE): Promise<number> {
  const response = await fetch(url, { method: 'PUT', body, headers: { ...slot.headers, 'Content-Type': type } });
  await response.arrayBuffer();
  return response.status;
}

/** Where the file server put what a client uploads, as its log tells. */
async function pathOfNextUpload(files: ServerProcess, upload: () => Promise<void>): Promise<string> {
  const known = new Set(await linesUpToNow(files));
  await upload();
  const line = await files.event(
    'request.completed',
    10_000,
    (candidate) => !known.has(candidate) && candidate['method'] === 'PUT' && candidate['status'] === 201,
  );
  return String(line['path']);
}
