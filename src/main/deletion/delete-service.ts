/**
 * Signed deletion: the cheap checks here, the HMAC and the removal in a lane. Who may delete a file learns whether it
 * worked, and not whether there was one.
 */

import type { DeletionResult, EventPublisher } from '../../shared/events.ts';
import type { DeletedFile, FileKey } from '../../shared/files.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type { SignatureCheck } from '../../shared/signature.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { SlotParameters } from '../auth/slot-parameters.ts';
import { type RefusedSignature, readDeleteSignature, type SignatureRules } from '../auth/slot-signature.ts';
import { mismatchProblem, type Problem, problems, storageProblems } from '../http/problem.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import type { WorkerPool } from '../lanes/worker-pool.ts';
import type { StoreHealth } from '../store/store-health.ts';

/** What the settings say about deletions. */
export interface DeleteRules extends Pick<SignatureRules, 'basePath' | 'signedPath'> {
  /** Part of every signed text; null: nothing can be deleted. */
  readonly deleteSecret: string | null;
}

export interface DeleteServiceOptions {
  readonly pool: Pick<WorkerPool, 'uploadLane'>;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
  readonly rules: () => DeleteRules;
  /** Told of every path whose file is gone, or may be, before the client hears of it. */
  readonly onDeleted: (key: FileKey) => void;
}

export interface DeleteRequest {
  readonly requestId: string;
  readonly key: FileKey;
  readonly parameters: SlotParameters;
}

/** How a deletion ended. */
export type DeleteEnd =
  | { readonly kind: 'done' }
  /** `signature`: what is wrong with it; null: something else is. `failure`: a worker refused or failed it. */
  | {
      readonly kind: 'refused';
      readonly problem: Problem;
      readonly signature: Pick<RefusedSignature, 'scheme' | 'result'> | null;
      readonly failure: StorageFailure | null;
    };

type OnEnd = (end: DeleteEnd) => void;

export class DeleteService {
  private readonly options: DeleteServiceOptions;

  constructor(options: DeleteServiceOptions) {
    this.options = options;
  }

  /** False: DELETE is answered like a method that nobody knows. */
  get isEnabled(): boolean {
    return this.options.rules().deleteSecret !== null;
  }

  /** Calls `onEnd` exactly once, perhaps at once. */
  execute(request: DeleteRequest, onEnd: OnEnd): void {
    const { health, pool, rules } = this.options;
    const { deleteSecret, ...signatureRules } = rules();
    const read = readDeleteSignature(request, signatureRules, deleteSecret ?? '');
    if (read.kind === 'refused') {
      this.ended(request, 'refused');
      onEnd({ kind: 'refused', problem: read.problem, signature: read, failure: null });
    } else if (health.isDegraded) {
      this.ended(request, 'error');
      onEnd({ kind: 'refused', problem: problems.unavailable, signature: null, failure: null });
    } else {
      new RunningDeletion({ ...this.options, request, lane: pool.uploadLane(), onEnd }).start(read.check);
    }
  }

  private ended({ requestId }: DeleteRequest, result: DeletionResult): void {
    this.options.events.publish({ type: 'deletion.completed', requestId, result });
  }
}

interface RunningDeletionOptions extends DeleteServiceOptions {
  readonly request: DeleteRequest;
  readonly lane: LaneClient;
  readonly onEnd: OnEnd;
}

/** One deletion that a lane is at. A client that leaves changes nothing. */
class RunningDeletion implements TransferListener {
  private readonly options: RunningDeletionOptions;
  private readonly transfer: number;

  constructor(options: RunningDeletionOptions) {
    this.options = options;
    this.transfer = options.lane.begin(this);
  }

  start(signature: SignatureCheck): void {
    const { lane, request } = this.options;
    lane.send({ type: 'file.delete', transfer: this.transfer, key: request.key, signature }, null);
  }

  receive(message: TransferMessage): void {
    if (message.type === 'delete.done') this.done(message.file, message.verified);
    else if (message.type === 'delete.failed') this.failed(message.failure, message.verified);
    else throw new Error(`unexpected ${message.type} for a deletion`);
  }

  laneLost(failure: StorageFailure): void {
    this.failed(failure, null);
  }

  private done(file: DeletedFile | null, verified: VerifiedUpload): void {
    const { events, onEnd, request } = this.options;
    this.over(verified, file === null ? 'absent' : 'ok');
    const { requestId } = request;
    if (file !== null) events.publish({ type: 'file.deleted', requestId, fileId: verified.fileId, ...file });
    onEnd({ kind: 'done' });
  }

  private failed(failure: StorageFailure, verified: VerifiedUpload | null): void {
    const { health, onEnd } = this.options;
    const isMismatch = failure.code === 'signature-mismatch';
    health.report(failure);
    this.over(verified, isMismatch ? 'refused' : 'error');
    const problem = isMismatch ? mismatchProblem('delete') : storageProblems[failure.code];
    const signature = isMismatch ? ({ scheme: 'delete', result: 'mismatch' } as const) : null;
    onEnd({ kind: 'refused', problem, signature, failure });
  }

  private over(verified: VerifiedUpload | null, result: DeletionResult): void {
    const { events, lane, onDeleted, request } = this.options;
    const { requestId, key } = request;
    lane.end(this.transfer);
    // Also after a failure: the name may be gone.
    if (result !== 'refused') onDeleted(key);
    if (verified !== null) {
      const { secret } = verified;
      events.publish({ type: 'signature.checked', requestId, scheme: 'delete', result: 'ok', secret });
    }
    events.publish({ type: 'deletion.completed', requestId, result });
  }
}
