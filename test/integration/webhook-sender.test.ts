/** Webhooks to a real receiver that fails, hangs, redirects, and is gone. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createMessage } from '../../src/main/webhooks/webhook-message.ts';
import { WebhookSender, type WebhookSenderOptions } from '../../src/main/webhooks/webhook-sender.ts';
import { sampleEvent } from '../support/sample-events.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = 'a-secret-that-only-tests-know';

let receiver: WebhookReceiver;
let sender: WebhookSender;
let done: string[] = [];
let troubles: (string | null)[] = [];

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  done = [];
  troubles = [];
});

afterEach(async () => {
  await sender.stop();
  receiver.stop();
});

function start(options: Partial<WebhookSenderOptions> = {}): void {
  sender = new WebhookSender({
    url: receiver.url,
    secret: SECRET,
    capacity: 100,
    timeoutMs: 5_000,
    firstPauseMs: 1,
    onDone: (id) => done.push(id),
    onTrouble: (reason) => troubles.push(reason),
    ...options,
  });
}

function message(time = Date.now()) {
  return createMessage({ ...sampleEvent('upload.completed'), seq: 1, time });
}

async function untilDone(count: number): Promise<void> {
  while (done.length < count) await delay(5);
}

test('a message names its event, and is signed over id, time and body (Standard Webhooks)', async () => {
  start();
  sender.offer(message());
  await receiver.until(1);
  const [webhook] = receiver.received;
  assert.ok(webhook !== undefined);
  const { fields, body } = webhook;
  const { type, data } = JSON.parse(body) as { readonly type: string; readonly data: Record<string, unknown> };
  assert.equal(type, 'upload.completed');
  assert.deepEqual([data['path'], data['size_bytes'], data['protocol']], ['2026/picture.png', 1000, 'put']);
  const text = `${String(fields['webhook-id'])}.${String(fields['webhook-timestamp'])}.${body}`;
  const mac = createHmac('sha256', SECRET).update(text).digest('base64');
  assert.equal(fields['webhook-signature'], `v1,${mac}`);
  assert.ok(Math.abs(Number(fields['webhook-timestamp']) - Date.now() / 1_000) < 5);
  assert.equal(fields['content-type'], 'application/json');
});

test('a secret of other products, whsec_ and base64, stands for its bytes', async () => {
  const bytes = Buffer.from('0123456789abcdef');
  start({ secret: `whsec_${bytes.toString('base64')}` });
  sender.offer(message());
  await receiver.until(1);
  const { fields, body } = receiver.received[0] ?? { fields: {}, body: '' };
  const text = `${String(fields['webhook-id'])}.${String(fields['webhook-timestamp'])}.${body}`;
  assert.equal(fields['webhook-signature'], `v1,${createHmac('sha256', bytes).update(text).digest('base64')}`);
});

test('a receiver that fails is asked again until it takes the message, always with the same id', async () => {
  receiver.answer = (response, count) => response.writeHead(count < 4 ? 500 : 200).end('what a body');
  start();
  sender.offer(message());
  await untilDone(1);
  assert.equal(receiver.received.length, 4);
  assert.deepEqual([...new Set(receiver.ids)], done);
  assert.deepEqual(sender.figures, { delivered: 1, failed: 3, dropped: 0, queued: 0 });
  assert.deepEqual(troubles, ['status 500', null]);
});

test('a receiver that hangs is given up after its time, and asked again', async () => {
  receiver.answer = (response, count) => {
    if (count > 1) response.writeHead(200).end();
  };
  start({ timeoutMs: 50 });
  sender.offer(message());
  await untilDone(1);
  assert.ok(sender.figures.failed >= 1);
});

test('a redirect is a failure: what is signed for one receiver goes to no other', async () => {
  const other = await WebhookReceiver.start();
  receiver.answer = (response, count) => {
    response.writeHead(count < 3 ? 307 : 204, { Location: other.url }).end();
  };
  start();
  sender.offer(message());
  await untilDone(1);
  assert.equal(other.received.length, 0);
  assert.deepEqual(troubles, ['status 307', null]);
  other.stop();
});

test('a receiver that is gone is a failure like any other, and its message waits', async () => {
  const { url } = receiver;
  receiver.stop();
  start({ url });
  sender.offer(message());
  while (sender.figures.failed < 3) await delay(5);
  assert.match(troubles[0] ?? '', /ECONNREFUSED/);
  assert.equal(sender.figures.queued, 1);
});

test('many messages that fail at once count as one failure of the receiver, and all arrive', async () => {
  receiver.answer = (response, count) => response.writeHead(count <= 8 ? 503 : 200).end();
  start();
  for (let n = 0; n < 50; n += 1) sender.offer(message());
  await untilDone(50);
  assert.equal(new Set(receiver.ids).size, 50);
  assert.deepEqual(troubles, ['status 503', null]);
});

test('a full queue drops what comes, and says so', () => {
  receiver.answer = () => {};
  start({ capacity: 3 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => sender.offer(message())),
    [true, true, true, false],
  );
  assert.deepEqual(sender.figures, { delivered: 0, failed: 0, dropped: 1, queued: 3 });
});

test('what nobody takes for three days is given up', async () => {
  receiver.answer = (response) => response.writeHead(500).end();
  start();
  sender.offer(message(Date.now() - 73 * 3_600_000));
  await untilDone(1);
  assert.equal(sender.figures.dropped, 1);
});

test('a stop does not wait for a receiver that hangs, and its message is not done with', async () => {
  receiver.answer = () => {};
  start();
  sender.offer(message());
  await receiver.until(1);
  await sender.stop();
  assert.deepEqual(done, []);
});
