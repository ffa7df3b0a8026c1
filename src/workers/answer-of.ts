/** How jobs answer main: with data, also when they fail. */

import type { WorkerAnswer } from '../shared/worker-jobs.ts';
import { toFailure } from './storage/storage-error.ts';

/** Never rejects: errors would lose their class and fields on the way. */
export async function answerOf(work: () => Promise<unknown>): Promise<WorkerAnswer> {
  try {
    return { isDone: true, value: await work() };
  } catch (error) {
    return { isDone: false, failure: toFailure(error) };
  }
}
