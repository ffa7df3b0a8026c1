/**
 * Asks a lane why a signature did not verify, after the client has been refused. So many times a second and no more: a
 * flood of bad signatures costs what it cost before.
 */

import type { SignatureHint } from '../shared/signature.ts';
import type { SignatureQuestion } from '../shared/signature-question.ts';
import type { TransferListener, TransferMessage } from './lanes/lane-client.ts';
import type { WorkerPool } from './lanes/worker-pool.ts';

/** As many as lines about one kind of refusal are written. */
const PER_SECOND = 10;
const SECOND_MS = 1_000;

type OnHint = (hint: SignatureHint | null) => void;

export class SignatureExplainer {
  private readonly pool: Pick<WorkerPool, 'uploadLane'>;
  private secondBeganMs = Number.NEGATIVE_INFINITY;
  private asked = 0;

  constructor(pool: Pick<WorkerPool, 'uploadLane'>) {
    this.pool = pool;
  }

  /** Calls `onHint` once: with null when it is not known, at once when too many ask. */
  explain(toQuestion: () => SignatureQuestion, onHint: OnHint): void {
    if (!this.mayAsk()) {
      onHint(null);
      return;
    }
    const lane = this.pool.uploadLane();
    const transfer = lane.begin(
      new HintListener((hint) => {
        lane.end(transfer);
        onHint(hint);
      }),
    );
    lane.send({ type: 'signature.explain', transfer, question: toQuestion() }, null);
  }

  private mayAsk(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.secondBeganMs >= SECOND_MS) {
      this.secondBeganMs = nowMs;
      this.asked = 0;
    }
    this.asked += 1;
    return this.asked <= PER_SECOND;
  }
}

class HintListener implements TransferListener {
  private readonly onHint: OnHint;

  constructor(onHint: OnHint) {
    this.onHint = onHint;
  }

  receive(message: TransferMessage): void {
    if (message.type === 'signature.explained') this.onHint(message.hint);
    else throw new Error(`unexpected ${message.type} for a question`);
  }

  laneLost(): void {
    this.onHint(null);
  }
}
