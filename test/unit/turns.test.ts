/** Turns: so much work at once, and the rest in its order. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../src/workers/turns.ts';

/** Work that ends when it is told to. */
class Job {
  hasBegun = false;
  private readonly promise: Promise<string>;
  private settle: { end: (result: string) => void; fail: (error: Error) => void } = { end: () => {}, fail: () => {} };

  constructor() {
    this.promise = new Promise((end, fail) => {
      this.settle = { end, fail };
    });
  }

  readonly run = (): Promise<string> => {
    this.hasBegun = true;
    return this.promise;
  };

  end(result: string): void {
    this.settle.end(result);
  }

  fail(error: Error): void {
    this.settle.fail(error);
  }
}

describe('turns', () => {
  it('does no more at once than there are turns, and the rest in order', async () => {
    const turns = new Turns(2);
    const jobs = [new Job(), new Job(), new Job(), new Job()] as const;
    const results = jobs.map((job) => turns.take(job.run));
    const begun = async (): Promise<readonly boolean[]> => {
      await new Promise(setImmediate);
      return jobs.map(({ hasBegun }) => hasBegun);
    };
    assert.deepEqual(await begun(), [true, true, false, false]);
    jobs[1].end('second');
    assert.equal(await results[1], 'second');
    assert.deepEqual(await begun(), [true, true, true, false]);
    jobs[0].end('first');
    assert.deepEqual(await begun(), [true, true, true, true]);
    jobs[2].end('third');
    jobs[3].end('fourth');
    assert.deepEqual(await Promise.all(results), ['first', 'second', 'third', 'fourth']);
  });

  it('gives the turn of work that failed to whoever is next, and the error to who asked for it', async () => {
    const turns = new Turns(1);
    const [failing, next, last] = [new Job(), new Job(), new Job()] as const;
    const failed = turns.take(failing.run);
    const done = turns.take(next.run);
    failing.fail(new Error('no space'));
    await assert.rejects(failed, /no space/);
    next.end('done');
    assert.equal(await done, 'done');
    last.end('at once');
    assert.equal(await turns.take(last.run), 'at once');
  });
});
