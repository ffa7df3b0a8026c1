/** The dispatcher: order, asynchrony, and subscribers that misbehave. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import type { ServerEvent } from '../../src/shared/events.ts';
import { sampleEvent } from '../support/sample-events.ts';

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Milliseconds that advance by `stepMs` whenever somebody looks. */
function steppingClock(stepMs: number): () => number {
  let nowMs = 0;
  return () => {
    nowMs += stepMs;
    return nowMs;
  };
}

test('delivers events in the order of publication, with a growing seq and the time of publication', async () => {
  const events = new EventDispatcher({ wallClockMs: steppingClock(1) });
  const seen: ServerEvent[] = [];
  events.on('*', (event) => void seen.push(event));
  events.publish(sampleEvent('server.started'));
  events.publish(sampleEvent('request.received'));
  events.publish(sampleEvent('server.stopped'));
  await events.drain();
  assert.deepEqual(
    seen.map(({ type, seq, time }) => [type, seq, time]),
    [
      ['server.started', 1, 1],
      ['request.received', 2, 2],
      ['server.stopped', 3, 3],
    ],
  );
});

test('never calls a handler inside the stack of the publisher, nor before its microtasks', async () => {
  const events = new EventDispatcher();
  let calls = 0;
  events.on('server.started', () => {
    calls += 1;
  });
  events.publish(sampleEvent('server.started'));
  assert.equal(calls, 0);
  await Promise.resolve();
  assert.equal(calls, 0);
  await events.drain();
  assert.equal(calls, 1);
});

test('gives a handler events of its type, and "*" all of them, in order of subscription', async () => {
  const events = new EventDispatcher();
  const seen: string[] = [];
  events.on('*', ({ type }) => void seen.push(`all ${type}`));
  events.on('connection.opened', ({ remote }) => void seen.push(remote));
  events.publish(sampleEvent('connection.opened', { remote: '192.0.2.7' }));
  events.publish(sampleEvent('connection.closed'));
  await events.drain();
  assert.deepEqual(seen, ['all connection.opened', '192.0.2.7', 'all connection.closed']);
});

test('wants only what somebody subscribed to, and drops the rest without counting it', async () => {
  const events = new EventDispatcher();
  assert.equal(events.wants('request.received'), false);
  const unsubscribe = events.on('request.received', () => {});
  assert.equal(events.wants('request.received'), true);
  assert.equal(events.wants('request.completed'), false);
  unsubscribe();
  assert.equal(events.wants('request.received'), false);
  events.publish(sampleEvent('request.received'));
  const seqs: number[] = [];
  events.on('*', ({ seq }) => void seqs.push(seq));
  events.publish(sampleEvent('server.stopped'));
  await events.drain();
  assert.deepEqual(seqs, [1]);
  assert.equal(events.droppedEvents, 0);
});

test('reports and counts handlers that throw or reject, and goes on with the others', async () => {
  const reported: unknown[] = [];
  const events = new EventDispatcher({ onHandlerError: (error, { type }) => void reported.push([error, type]) });
  const thrown = new Error('thrown');
  const rejected = new Error('rejected');
  let calls = 0;
  events.on('server.started', () => {
    throw thrown;
  });
  events.on('server.started', () => Promise.reject(rejected));
  events.on('server.started', () => {
    calls += 1;
  });
  events.publish(sampleEvent('server.started'));
  events.publish(sampleEvent('server.started'));
  await events.drain();
  await nextTurn();
  assert.equal(calls, 2);
  assert.equal(events.handlerErrors, 4);
  assert.equal(reported.length, 4);
  assert.deepEqual(reported.slice(0, 1), [[thrown, 'server.started']]);
  assert.ok(reported.some((entry) => Array.isArray(entry) && entry[0] === rejected));
});

test('survives an error reporter that throws itself', async () => {
  const events = new EventDispatcher({
    onHandlerError: () => {
      throw new Error('reporter');
    },
  });
  let calls = 0;
  events.on('server.started', () => {
    throw new Error('handler');
  });
  events.on('server.started', () => {
    calls += 1;
  });
  events.publish(sampleEvent('server.started'));
  await events.drain();
  assert.deepEqual([calls, events.handlerErrors], [1, 1]);
});

test('does not wait for a handler whose promise never settles', async () => {
  const events = new EventDispatcher();
  const seen: string[] = [];
  events.on('*', () => new Promise(() => {}));
  events.on('*', ({ type }) => void seen.push(type));
  events.publish(sampleEvent('request.received'));
  events.publish(sampleEvent('request.completed'));
  await events.drain();
  assert.deepEqual(seen, ['request.received', 'request.completed']);
});

test('stops calling a handler as soon as another one has unsubscribed it, in the middle of a delivery', async () => {
  const events = new EventDispatcher();
  const seen: string[] = [];
  events.on('*', () => {
    seen.push('first');
    endSecond();
  });
  const endSecond = events.on('*', () => void seen.push('second'));
  events.on('*', () => void seen.push('third'));
  events.publish(sampleEvent('server.started'));
  events.publish(sampleEvent('server.stopped'));
  await events.drain();
  assert.deepEqual(seen, ['first', 'third', 'first', 'third']);
});

test('delivers what a handler publishes after what was published before', async () => {
  const events = new EventDispatcher();
  const seen: string[] = [];
  events.on('server.started', () => events.publish(sampleEvent('pool.saturated')));
  events.on('*', ({ type }) => void seen.push(type));
  events.publish(sampleEvent('server.started'));
  events.publish(sampleEvent('server.stopped'));
  await events.drain();
  assert.deepEqual(seen, ['server.started', 'server.stopped', 'pool.saturated']);
});

test('takes a frozen event, and the same event twice', async () => {
  const events = new EventDispatcher();
  const seqs: number[] = [];
  events.on('*', ({ seq }) => void seqs.push(seq));
  const again = sampleEvent('server.started');
  events.publish(Object.freeze(sampleEvent('server.started')));
  events.publish(again);
  events.publish(again);
  await events.drain();
  assert.deepEqual(seqs, [1, 2, 3]);
});

test('spreads a flood over several turns of the event loop', async () => {
  const events = new EventDispatcher({ monotonicMs: steppingClock(1) });
  let delivered = 0;
  events.on('request.received', () => {
    delivered += 1;
  });
  for (let count = 0; count < 100; count += 1) events.publish(sampleEvent('request.received'));
  const perTurn: number[] = [];
  while (delivered < 100) {
    const before = delivered;
    await nextTurn();
    perTurn.push(delivered - before);
  }
  assert.ok(perTurn.length >= 10, `delivered in ${perTurn.length} turns`);
});

test('drops events about connections first when the queue overflows, and counts them; seq shows the gap', async () => {
  const events = new EventDispatcher({ capacity: 10 });
  const seen: string[] = [];
  const seqs: number[] = [];
  events.on('*', ({ type, seq }) => {
    seen.push(type);
    seqs.push(seq);
  });
  for (let count = 0; count < 5; count += 1) events.publish(sampleEvent('connection.opened'));
  for (let count = 0; count < 9; count += 1) events.publish(sampleEvent('request.received'));
  assert.equal(events.droppedEvents, 5);
  events.publish(sampleEvent('connection.closed'));
  assert.equal(events.droppedEvents, 6);
  await events.drain();
  assert.deepEqual(seen, Array(9).fill('request.received'));
  assert.deepEqual(seqs, [6, 7, 8, 9, 10, 11, 12, 13, 14]);
});

test('drain waits for handlers of server.stopped', async () => {
  const events = new EventDispatcher();
  let isDone = false;
  events.on('server.stopped', async () => {
    await nextTurn();
    await nextTurn();
    isDone = true;
  });
  events.publish(sampleEvent('server.stopped'));
  await events.drain();
  assert.equal(isDone, true);
});

test('drain gives up on a handler of server.stopped that hangs', async () => {
  const events = new EventDispatcher();
  events.on('server.stopped', () => new Promise(() => {}));
  events.publish(sampleEvent('server.stopped'));
  const startedMs = performance.now();
  await events.drain(50);
  const elapsedMs = performance.now() - startedMs;
  assert.ok(elapsedMs >= 45 && elapsedMs < 1000, `${elapsedMs} ms`);
});
