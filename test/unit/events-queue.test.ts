/** The bounded queue behind the dispatcher: what an overflow gives up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventQueue } from '../../src/main/events/event-queue.ts';
import type { ServerEvent, ServerEventType } from '../../src/shared/events.ts';
import { sampleEvent } from '../support/sample-events.ts';

function stamped(type: ServerEventType, seq: number): ServerEvent {
  return { seq, time: 0, ...sampleEvent(type) };
}

function takeAll(queue: EventQueue<ServerEvent>): ServerEvent[] {
  const events: ServerEvent[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take()) events.push(event);
  return events;
}

test('keeps events about the server when it is full, whatever it takes', () => {
  const queue = new EventQueue<ServerEvent>(3);
  for (let seq = 1; seq <= 5; seq += 1) queue.add(stamped('request.completed', seq));
  assert.equal(queue.add(stamped('server.stopping', 6)), true);
  assert.equal(queue.add(stamped('server.stopped', 7)), true);
  assert.equal(queue.droppedEvents, 2);
  assert.deepEqual(
    takeAll(queue).map(({ seq }) => seq),
    [1, 2, 3, 6, 7],
  );
});

test('gives up the connections that wait before a request that comes', () => {
  const queue = new EventQueue<ServerEvent>(4);
  queue.add(stamped('connection.opened', 1));
  queue.add(stamped('request.received', 2));
  queue.add(stamped('connection.closed', 3));
  queue.add(stamped('connection.opened', 4));
  assert.equal(queue.add(stamped('request.completed', 5)), true);
  assert.equal(queue.droppedEvents, 3);
  assert.deepEqual(
    takeAll(queue).map(({ seq }) => seq),
    [2, 5],
  );
});

test('takes connections again when half of it is free', () => {
  const queue = new EventQueue<ServerEvent>(4);
  for (let seq = 1; seq <= 4; seq += 1) queue.add(stamped('request.received', seq));
  assert.equal(queue.add(stamped('connection.opened', 5)), false);
  queue.take();
  assert.equal(queue.add(stamped('connection.opened', 6)), false);
  queue.take();
  assert.equal(queue.add(stamped('connection.opened', 7)), true);
});

test('keeps order, loses no server event and counts every other loss, whatever comes and goes', () => {
  const types: ServerEventType[] = ['connection.opened', 'request.received', 'upload.completed', 'server.failed'];
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...types) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new EventQueue<ServerEvent>(8);
      const taken: ServerEvent[] = [];
      let seq = 0;
      let servers = 0;
      for (const type of steps) {
        const oldest = type === null ? queue.take() : undefined;
        if (oldest !== undefined) taken.push(oldest);
        if (type === null) continue;
        seq += 1;
        if (type === 'server.failed') servers += 1;
        queue.add(stamped(type, seq));
      }
      taken.push(...takeAll(queue));
      assert.equal(taken.length + queue.droppedEvents, seq);
      assert.equal(taken.filter(({ type }) => type === 'server.failed').length, servers);
      assert.ok(taken.every((event, index) => index === 0 || event.seq > (taken[index - 1]?.seq ?? 0)));
    }),
  );
});
