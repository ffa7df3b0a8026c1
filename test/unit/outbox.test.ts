/** The outbox: what is said in one turn goes out together, and much of it at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../src/shared/outbox.ts';

interface Scene {
  readonly outbox: Outbox<string>;
  /** What went out, crossing by crossing. */
  readonly crossings: string[][];
  readonly moved: number[];
}

function scene(onTurnEnd?: (outbox: Outbox<string>) => void): Scene {
  const crossings: string[][] = [];
  const moved: number[] = [];
  const outbox: Outbox<string> = new Outbox<string>({
    post: (messages, buffers) => {
      crossings.push([...messages]);
      moved.push(buffers.length);
    },
    onTurnEnd: () => onTurnEnd?.(outbox),
  });
  return { outbox, crossings, moved };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('sends what was said in one turn together, in its order, with its buffers', async () => {
  const { outbox, crossings, moved } = scene();
  outbox.put('a', null, 0);
  outbox.put('b', new ArrayBuffer(8), 8);
  assert.deepEqual(crossings, []);
  await turn();
  assert.deepEqual([crossings, moved], [[['a', 'b']], [1]]);
  outbox.put('c', null, 0);
  await turn();
  assert.deepEqual(crossings, [['a', 'b'], ['c']]);
});

test('does not wait for the end of the turn with 256 KiB of work, or with 16 messages', async () => {
  const { outbox, crossings } = scene();
  outbox.put('small', null, 1);
  outbox.put('large', null, 256 * 1024);
  assert.deepEqual(crossings, [['small', 'large']]);
  for (let index = 0; index < 16; index += 1) outbox.put(`${index}`, null, 0);
  assert.equal(crossings[1]?.length, 16);
  await turn();
  assert.equal(crossings.length, 2);
});

test('lets more be said at the end of the turn, before its messages go out', async () => {
  const { outbox, crossings } = scene((box) => box.put('last', null, 0));
  outbox.put('first', null, 0);
  await turn();
  assert.deepEqual(crossings, [['first', 'last']]);
});

test('sends at once when asked, and nothing of what was cleared', async () => {
  const { outbox, crossings } = scene();
  outbox.put('now', null, 0);
  outbox.post();
  assert.deepEqual(crossings, [['now']]);
  outbox.put('forgotten', null, 0);
  outbox.clear();
  await turn();
  assert.equal(crossings.length, 1);
});
