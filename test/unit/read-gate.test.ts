/** The read gate: when buffers run low all uploads stop reading together, and go on together. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GatedUpload, ReadGate } from '../../src/main/upload/read-gate.ts';
import { BufferPool } from '../../src/shared/buffers.ts';

const BUFFERS = 96;
/** The gate closes when an eighth of all buffers is in use, and opens when no more than a sixteenth is. */
const CLOSES_AT = 12;
const OPENS_AT = 6;
/** A burst that fills a third of them waits for the lanes. */
const FLOODS_AT = 32;

class FakeUpload implements GatedUpload {
  readonly log: string[];
  readonly name: string;
  isHeld = false;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  hold(): void {
    this.isHeld = true;
    this.log.push(`hold ${this.name}`);
  }

  letGo(): void {
    this.isHeld = false;
    this.log.push(`let go ${this.name}`);
  }
}

interface Scene {
  readonly gate: ReadGate;
  readonly log: string[];
  readonly uploads: readonly [FakeUpload, FakeUpload, FakeUpload];
  readonly use: (count: number) => void;
  readonly bringHome: (count: number) => void;
}

function scene(): Scene {
  const buffers = new BufferPool({ sizes: [1], maxBytes: BUFFERS });
  const gate = new ReadGate(buffers);
  const log: string[] = [];
  const uploads = [new FakeUpload('a', log), new FakeUpload('b', log), new FakeUpload('c', log)] as const;
  for (const upload of uploads) gate.add(upload);
  const held: ArrayBuffer[] = [];
  const use = (count: number): void => {
    for (let index = 0; index < count; index += 1) held.push(...[buffers.take()].filter((buffer) => buffer !== null));
  };
  const bringHome = (count: number): void => {
    for (const buffer of held.splice(0, count)) buffers.give(buffer);
  };
  return { gate, log, uploads, use, bringHome };
}

test('is open while less than an eighth of the buffers is in use', () => {
  const { gate, log, uploads, use } = scene();
  use(CLOSES_AT - 1);
  for (const upload of uploads) gate.press(upload);
  assert.equal(gate.isTight, false);
  assert.deepEqual(log, []);
});

test('holds all uploads at once when it closes', () => {
  const { gate, uploads, use } = scene();
  use(CLOSES_AT);
  gate.press(uploads[0]);
  assert.equal(gate.isTight, true);
  assert.ok(uploads.every(({ isHeld }) => isHeld));
});

test('opens only when half of them are home, and lets whoever closed it go last', () => {
  const { gate, log, uploads, use, bringHome } = scene();
  use(CLOSES_AT);
  gate.press(uploads[0]);
  log.length = 0;
  bringHome(CLOSES_AT - OPENS_AT - 1);
  assert.deepEqual(log, []);
  bringHome(1);
  assert.deepEqual(log, ['let go b', 'let go c', 'let go a']);
  bringHome(1);
  assert.equal(log.length, 3);
});

test('holds again whoever takes bytes behind the closed gate', () => {
  const { gate, log, uploads, use } = scene();
  use(CLOSES_AT);
  gate.press(uploads[0]);
  log.length = 0;
  use(1);
  gate.press(uploads[1]);
  assert.deepEqual(log, ['hold b']);
});

test('holds an upload that comes while it is closed, until it opens', () => {
  const { gate, log, uploads, use, bringHome } = scene();
  use(CLOSES_AT);
  gate.press(uploads[0]);
  const late = new FakeUpload('late', log);
  gate.add(late);
  assert.equal(late.isHeld, true);
  bringHome(CLOSES_AT);
  assert.equal(late.isHeld, false);
});

test('does not hold or let go an upload that has left', () => {
  const { gate, log, uploads, use, bringHome } = scene();
  gate.remove(uploads[2]);
  use(CLOSES_AT);
  gate.press(uploads[0]);
  bringHome(CLOSES_AT);
  assert.ok(log.length > 0 && log.every((line) => !line.endsWith(' c')));
});

test('opens when the buffers that closed it are written off with their thread', () => {
  const buffers = new BufferPool({ sizes: [1], maxBytes: BUFFERS });
  const gate = new ReadGate(buffers);
  const [first, second] = [new FakeUpload('a', []), new FakeUpload('b', [])];
  gate.add(first);
  gate.add(second);
  for (let index = 0; index < CLOSES_AT; index += 1) buffers.take();
  gate.press(first);
  assert.equal(second.isHeld, true);
  buffers.forget(CLOSES_AT);
  assert.equal(second.isHeld, false);
});

/** How many milliseconds are granted before the answer is no. */
function granted(ask: () => boolean): number {
  let ms = 0;
  while (ms < 20_000 && ask()) ms += 1;
  return ms;
}

test('lets a burst wait for the lanes from a third of the memory on', () => {
  const { gate, use, bringHome } = scene();
  use(FLOODS_AT - 1);
  assert.equal(gate.mayAwaitLanes(), false);
  use(1);
  assert.equal(gate.mayAwaitLanes(), true);
  bringHome(1);
  assert.equal(gate.mayAwaitLanes(), false);
});

test('holds the event loop for a second while no lane writes, and for one more when there is no buffer left', () => {
  const { gate, use } = scene();
  use(FLOODS_AT);
  assert.equal(
    granted(() => gate.mayAwaitLanes()),
    1_000,
  );
  use(BUFFERS);
  assert.equal(gate.mayAwaitLanes(), false);
  assert.equal(
    granted(() => gate.mayAwaitBuffer()),
    1_000,
  );
});

test('holds it for five seconds in all while lanes write slowly, and for five more when there is no buffer left', () => {
  const { gate, use, bringHome } = scene();
  use(BUFFERS);
  const writesSlowly = (ask: () => boolean) => (): boolean => {
    bringHome(1);
    use(1);
    return ask();
  };
  assert.equal(granted(writesSlowly(() => gate.mayAwaitLanes())), 5_000);
  assert.equal(granted(writesSlowly(() => gate.mayAwaitBuffer())), 5_000);
});

test('grants the time again once the lanes have caught up', () => {
  const { gate, uploads, use, bringHome } = scene();
  use(BUFFERS);
  gate.press(uploads[0]);
  assert.equal(
    granted(() => gate.mayAwaitBuffer()),
    2_000,
  );
  bringHome(BUFFERS);
  use(BUFFERS);
  assert.equal(
    granted(() => gate.mayAwaitBuffer()),
    2_000,
  );
});

test('lets them go in the order in which they last took bytes, so that each has its turn', () => {
  const { gate, log, uploads, use, bringHome } = scene();
  use(CLOSES_AT);
  for (const upload of [uploads[1], uploads[0], uploads[2]]) gate.press(upload);
  log.length = 0;
  bringHome(CLOSES_AT);
  assert.deepEqual(log, ['let go b', 'let go a', 'let go c']);
});
