/** What digests of downloads may cost: one at a time, each once, few waiting, nothing long. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { ContentDigests, type DigestSubject } from '../../src/main/download/content-digests.ts';
import { LaneClient } from '../../src/main/lanes/lane-client.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import type { FileKey } from '../../src/shared/files.ts';
import type { ToLane, ToLaneBatch } from '../../src/shared/messages.ts';

const MIB = 1024 * 1024;

type Question = Extract<ToLane, { type: 'digest.compute' }>;

/** The other end of a lane, which answers when the test says so. */
class QuietLane {
  readonly client: LaneClient;
  readonly asked: Question[] = [];
  private readonly port;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.client = new LaneClient({
      name: 'test',
      port: port1,
      buffers: new BufferPool({ sizes: [MIB], maxBytes: MIB }),
    });
    port2.on('message', (messages: ToLaneBatch) => {
      for (const message of messages) if (message.type === 'digest.compute') this.asked.push(message);
    });
  }

  /** Resolves once so many questions have come. */
  async hasAsked(count: number): Promise<void> {
    while (this.asked.length < count) await once(this.port, 'message');
  }

  answer(index: number, digest: string | null): void {
    const { transfer = 0 } = this.asked[index] ?? {};
    this.port.postMessage([{ type: 'digest.computed', transfer, digest, buffer: null }]);
  }
}

const lanes: QuietLane[] = [];

after(() => {
  for (const lane of lanes) lane.client.close();
});

function begin(): { lane: QuietLane; digests: ContentDigests } {
  const lane = new QuietLane();
  lanes.push(lane);
  return { lane, digests: new ContentDigests(() => lane.client) };
}

function subject(name: string, changes: Partial<DigestSubject> = {}): DigestSubject {
  return { key: name as FileKey, validator: '1', algorithm: 'sha256', first: 0, length: 10, isWhole: true, ...changes };
}

function find(digests: ContentDigests, of: DigestSubject): Promise<string | null> {
  return new Promise((resolve) => digests.find(of, resolve));
}

test('contents are hashed one after the other, and each once for all who ask', async () => {
  const { lane, digests } = begin();
  const found = [find(digests, subject('a')), find(digests, subject('a')), find(digests, subject('b'))];
  await lane.hasAsked(1);
  assert.equal(lane.asked.length, 1);
  lane.answer(0, 'of a');
  await lane.hasAsked(2);
  lane.answer(1, 'of b');
  assert.deepEqual(await Promise.all(found), ['of a', 'of a', 'of b']);
  assert.equal(await find(digests, subject('a')), 'of a');
  assert.equal(digests.known(subject('b')), 'of b');
  assert.deepEqual(
    lane.asked.map(({ key }) => key),
    ['a', 'b'],
  );
});

test('a digest belongs to one content, one algorithm and one run of bytes', async () => {
  const { lane, digests } = begin();
  const first = find(digests, subject('a'));
  await lane.hasAsked(1);
  lane.answer(0, 'of a');
  await first;
  for (const changes of [{ validator: '2' }, { algorithm: 'sha512' }, { first: 1 }, { length: 9 }] as const) {
    assert.equal(digests.known(subject('a', changes)), null, JSON.stringify(changes));
  }
});

test('a part is hashed again each time', async () => {
  const { lane, digests } = begin();
  const part = subject('a', { isWhole: false });
  for (const count of [1, 2]) {
    const found = find(digests, part);
    await lane.hasAsked(count);
    lane.answer(count - 1, `time ${count}`);
    assert.equal(await found, `time ${count}`);
  }
});

test('what is long, and who would be one too many, is answered at once with nothing', async () => {
  const { lane, digests } = begin();
  assert.equal(await find(digests, subject('long', { length: 4096 * MIB + 1 })), null);
  assert.equal(await find(digests, subject('part', { length: 16 * MIB + 1, isWhole: false })), null);
  const found = Array.from({ length: 32 }, (_, index) => find(digests, subject(`file ${index}`)));
  assert.equal(await find(digests, subject('one too many')), null);
  for (let index = 0; index < 32; index += 1) {
    await lane.hasAsked(index + 1);
    lane.answer(index, String(index));
  }
  assert.deepEqual(
    await Promise.all(found),
    Array.from({ length: 32 }, (_, index) => String(index)),
  );
});

test('a content that is gone, or a lane that dies, has no digest, and the next one has its turn', async () => {
  const { lane, digests } = begin();
  const gone = find(digests, subject('gone'));
  const next = find(digests, subject('next'));
  await lane.hasAsked(1);
  lane.answer(0, null);
  assert.equal(await gone, null);
  assert.equal(digests.known(subject('gone')), null);
  await lane.hasAsked(2);
  lane.client.lost({ code: 'worker-lost', detail: 'test' });
  assert.equal(await next, null);
  assert.equal(await find(digests, subject('after')), null);
});
