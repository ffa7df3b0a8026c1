/** Events of another thread: collected, in order, bounded while the other side is slow, and complete at the end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventDispatcher, type EventInterest } from '../../src/main/events/event-dispatcher.ts';
import { type EventBatch, EventRelay } from '../../src/main/events/event-relay.ts';
import type { ServerEvent } from '../../src/shared/events.ts';
import { sampleEvent } from '../support/sample-events.ts';

class Probe {
  readonly batches: EventBatch[] = [];
  readonly relay: EventRelay;
  private arrived: () => void = () => {};

  constructor(interests: readonly EventInterest[], capacity?: number) {
    const send = (batch: EventBatch): void => {
      this.batches.push(batch);
      this.arrived();
    };
    this.relay = new EventRelay({ interests, send, ...(capacity === undefined ? {} : { capacity }) });
  }

  /** Resolves with the next batch. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.arrived = resolve;
    });
  }

  get statuses(): readonly number[] {
    return this.batches.flatMap(({ events }) =>
      events.map((event) => (event.type === 'request.completed' ? event.status : Number.NaN)),
    );
  }

  publish(first: number, count: number): void {
    for (let status = first; status < first + count; status += 1) {
      this.relay.publish(sampleEvent('request.completed', { status }));
    }
  }
}

const numbers = (count: number): readonly number[] => [...Array(count).keys()];

test('sends what happens within a moment together, in order, each with its time', async () => {
  const probe = new Probe(['request.completed']);
  const startedMs = Date.now();
  probe.publish(0, 5);
  assert.equal(probe.batches.length, 0);
  await probe.next();
  assert.equal(probe.batches.length, 1);
  assert.deepEqual(probe.statuses, numbers(5));
  for (const { time } of probe.batches[0]?.events ?? []) assert.ok(time >= startedMs && time <= Date.now());
});

test('sends nothing that nobody asked for, and asks again when interests change', () => {
  const probe = new Probe(['request.failed']);
  assert.equal(probe.relay.wants('request.completed'), false);
  probe.publish(0, 3);
  probe.relay.flush();
  assert.equal(probe.batches.length, 0);
  probe.relay.setInterests(['*']);
  assert.equal(probe.relay.wants('request.completed'), true);
  probe.publish(0, 3);
  probe.relay.flush();
  assert.deepEqual(probe.statuses, numbers(3));
});

test('has two batches under way at most, and sends the rest as they are taken', async () => {
  const probe = new Probe(['*']);
  probe.publish(0, 4_500);
  assert.equal(probe.batches.length, 2);
  probe.relay.taken();
  assert.equal(probe.batches.length, 3);
  probe.relay.taken();
  assert.equal(probe.batches.length, 4);
  probe.relay.taken();
  await (probe.batches.length < 5 ? probe.next() : undefined);
  assert.deepEqual(probe.statuses, numbers(4_500));
});

test('gives events up, and counts them, when the other side takes none', () => {
  const probe = new Probe(['*'], 1_500);
  probe.publish(0, 5_000);
  assert.deepEqual(
    probe.batches.map(({ dropped }) => dropped),
    [0, 0],
  );
  probe.relay.publish(sampleEvent('server.failed'));
  probe.relay.flush();
  const sent = probe.batches.reduce((sum, { events }) => sum + events.length, 0);
  const last = probe.batches.at(-1);
  assert.equal(last?.dropped, 5_001 - sent);
  assert.equal(last?.events.at(-1)?.type, 'server.failed');
});

test('sends everything at the end, however slow the other side is', () => {
  const probe = new Probe(['*']);
  probe.publish(0, 8_000);
  probe.relay.flush();
  assert.deepEqual(probe.statuses, numbers(8_000));
});

test('the dispatcher delivers relayed events in its own order, with the time at which they happened', async () => {
  const events = new EventDispatcher({ wallClockMs: () => 5_000 });
  const seen: ServerEvent[] = [];
  let changes = 0;
  events.onInterestsChange(() => {
    changes += 1;
  });
  const end = events.on('request.completed', (event) => void seen.push(event));
  assert.deepEqual(events.interests, ['request.completed']);
  const relayed = structuredClone({ ...sampleEvent('request.completed', { status: 201 }), time: 1_000 });
  events.publish(sampleEvent('request.completed', { status: 200 }));
  events.publishAt(relayed, relayed.time);
  events.publishAt(sampleEvent('request.failed'), 1_000);
  await events.drain();
  assert.deepEqual(
    seen.map(({ seq, time }) => [seq, time]),
    [
      [1, 5_000],
      [2, 1_000],
    ],
  );
  end();
  assert.deepEqual([events.interests, changes], [[], 2]);
});
