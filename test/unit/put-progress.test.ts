/** What `put` shows: figures, bar, lines; and how long it waits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adviceFor } from '../../src/main/put/advice.ts';
import { BackOff } from '../../src/main/put/back-off.ts';
import { barText, createProgress, type Progress } from '../../src/main/put/progress-view.ts';
import { bytesText, durationText } from '../../src/main/put/quantity-text.ts';
import { TransferRate } from '../../src/main/put/transfer-rate.ts';

const CLEAR_LINE = '\r\x1b[K';

test('sizes have three digits at most', () => {
  const texts: readonly (readonly [bytes: number, text: string])[] = [
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [9_960, '10 kB'],
    [999_499, '999 kB'],
    [999_600, '1.0 MB'],
    [5_000_000, '5.0 MB'],
    [1_073_741_824, '1.1 GB'],
    [2e12, '2.0 TB'],
    [2e15, '2000 TB'],
  ];
  for (const [bytes, text] of texts) assert.equal(bytesText(bytes), text);
});

test('durations are minutes and seconds, with hours when there are some', () => {
  const texts: readonly (readonly [seconds: number, text: string])[] = [
    [0, '0:00'],
    [-3, '0:00'],
    [7.4, '0:07'],
    [59.6, '1:00'],
    [750, '12:30'],
    [3_723, '1:02:03'],
    [360_000, '100:00:00'],
  ];
  for (const [seconds, text] of texts) assert.equal(durationText(seconds), text);
});

test('the rate is that of the last seconds, and begins anew when the transfer goes back', () => {
  const rate = new TransferRate();
  assert.equal(rate.bytesPerSecond, null);
  for (let second = 0; second <= 10; second += 1) rate.sample(second * 1_000, second * 100);
  assert.equal(rate.bytesPerSecond, 100);
  for (let second = 11; second <= 20; second += 1) rate.sample(second * 1_000, 1_000 + (second - 10) * 500);
  assert.equal(rate.bytesPerSecond, 500);
  rate.sample(21_000, 0);
  assert.equal(rate.bytesPerSecond, null);
});

test('a bar has its width, whatever its share, and is full only at the end', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, fc.integer({ min: 5, max: 60 }), fc.boolean(), (part, width, hasBlocks) => {
      assert.equal(barText(part, width, hasBlocks).length, width);
    }),
  );
  assert.equal(barText(0.5, 10, true), '█████░░░░░');
  assert.equal(barText(0.55, 10, true), '█████▌░░░░');
  assert.equal(barText(1, 10, true), '██████████');
  assert.equal(barText(0.5, 10, false), '[####....]');
  assert.equal(barText(1, 10, false), '[########]');
});

interface Shown {
  readonly progress: Progress;
  text(): string;
  advance(ms: number): void;
}

function shown(options: { readonly isTTY: boolean; readonly columns?: number; readonly name?: string }): Shown {
  let text = '';
  let nowMs = 1_000;
  const sink = {
    write: (more: string) => {
      text += more;
    },
    isTTY: options.isTTY,
    columns: options.columns ?? 80,
  };
  const name = options.name ?? 'film.mkv';
  const progress = createProgress({ sink, name, size: 10_000_000, now: () => nowMs, hasBlocks: true });
  return {
    progress,
    text: () => text,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

test('on a terminal one line is drawn anew, ten times a second at most', () => {
  const { progress, text, advance } = shown({ isTTY: true });
  for (let bytes = 0; bytes <= 5_000_000; bytes += 100_000) {
    progress.sent(bytes);
    advance(20);
  }
  const lines = text().split(CLEAR_LINE).slice(1);
  assert.equal(lines.length, 11);
  assert.equal(lines.at(-1), 'film.mkv  ███████████▌░░░░░░░░░░░  50%  5.0 MB of 10 MB   5.0 MB/s  0:01 left ');
  progress.clear();
  progress.clear();
  assert.ok(text().endsWith(`left ${CLEAR_LINE}`));
});

test('a line fits the terminal, however narrow it is and however long the name', () => {
  for (const columns of [10, 20, 40, 60, 79, 80, 120, 200]) {
    const { progress, text, advance } = shown({ isTTY: true, columns, name: 'a'.repeat(90) });
    progress.sent(0);
    advance(1_000);
    progress.sent(9_999_999);
    for (const line of text().split(CLEAR_LINE)) assert.ok(line.length < columns, `${columns}: ${line}`);
  }
});

test('what happens stands above the line that is drawn', () => {
  const { progress, text } = shown({ isTTY: true });
  progress.sent(1_000_000);
  progress.waiting('the connection was cut', 700);
  progress.goingOn(1_000_000);
  const [, , cut = '', on = ''] = text().replaceAll(CLEAR_LINE, '\n').split('\n');
  assert.equal(cut, 'the connection was cut; trying again in 0.7 s');
  assert.equal(on, 'going on after 1.0 MB of 10 MB');
});

test('elsewhere there is a line now and then, and one at the end', () => {
  const { progress, text, advance } = shown({ isTTY: false });
  for (let second = 0; second <= 25; second += 1) {
    progress.sent(second * 100_000);
    advance(1_000);
  }
  progress.waiting('the connection was cut', 500);
  progress.goingOn(2_000_000);
  progress.checking();
  progress.done();
  assert.deepEqual(text().split('\n'), [
    'film.mkv: 10%, 100 kB/s, 1:30 left',
    'film.mkv: 20%, 100 kB/s, 1:20 left',
    'film.mkv: the connection was cut; trying again in 0.5 s',
    'film.mkv: going on after 2000000 of 10000000 bytes',
    'film.mkv: 2.5 MB in 0:26, 96 kB/s',
    '',
  ]);
});

test('each wait is longer than the last, up to half a minute, and one that the server asks for is kept', () => {
  const backOff = new BackOff({ limitMs: 3_600_000, now: () => 0, random: () => 1 });
  const waits = Array.from({ length: 8 }, () => backOff.next(0));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(backOff.next(60_000), 60_000);
  backOff.reset();
  assert.equal(backOff.next(0), 500);
});

test('waiting ends when nothing has arrived for the given time', () => {
  let nowMs = 0;
  const backOff = new BackOff({ limitMs: 10_000, now: () => nowMs, random: () => 0 });
  assert.equal(backOff.next(0), 250);
  nowMs = 9_900;
  assert.equal(backOff.next(60_000), 100);
  nowMs = 10_000;
  assert.equal(backOff.next(0), null);
  backOff.reset();
  assert.equal(backOff.next(0), 250);
});

test('every refusal that users meet has advice', () => {
  for (const status of [403, 404, 409, 411, 413, 501, 507]) assert.ok(adviceFor(status, '', 5) !== null, `${status}`);
  assert.match(adviceFor(403, 'Signature expired', 5) ?? '', /has expired/);
  assert.match(adviceFor(403, 'Disallowed file extension. Allowed extensions are: .txt', 5) ?? '', /rename/);
  assert.match(adviceFor(403, 'Invalid MAC', 5) ?? '', /5 bytes/);
  assert.equal(adviceFor(418, '', 5), null);
});
