/**
 * Digests of stored contents, computed in the lanes of downloads when somebody asks. What they cost is bounded: one is
 * computed at a time, few wait, what is long is left out, and what was found for a whole file is kept.
 */

import type { FileKey } from '../../shared/files.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { DigestAlgorithm } from '../http/digest-fields.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';

/** A whole file is read once for all who ask; a part for one answer only. */
const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024;
const MAX_PART_BYTES = 16 * 1024 * 1024;
const MAX_WAITING = 32;
const MAX_KEPT = 4_096;

/** A run of bytes of one content, and what it is to be hashed with. */
export interface DigestSubject {
  readonly key: FileKey;
  readonly validator: string;
  readonly algorithm: DigestAlgorithm;
  readonly first: number;
  readonly length: number;
  /** The run is the whole content. */
  readonly isWhole: boolean;
}

/** Padded Base64; null: it is not known, and will not be. */
type OnDigest = (digest: string | null) => void;

interface Job {
  readonly name: string;
  readonly subject: DigestSubject;
  /** All who asked for the same. */
  readonly waiting: OnDigest[];
}

export class ContentDigests {
  private readonly lane: () => LaneClient;
  /** Of whole files; the longest unused first. */
  private readonly kept = new Map<string, string>();
  /** In order; the first one runs. */
  private readonly jobs = new Map<string, Job>();
  private waiting = 0;

  constructor(lane: () => LaneClient) {
    this.lane = lane;
  }

  /** The digest when it was computed before. */
  known(subject: DigestSubject): string | null {
    const name = nameOf(subject);
    const digest = this.kept.get(name) ?? null;
    if (digest !== null) {
      this.kept.delete(name);
      this.kept.set(name, digest);
    }
    return digest;
  }

  /** Calls back once, with null at once when the digest would cost too much. */
  find(subject: DigestSubject, onDigest: OnDigest): void {
    const known = this.known(subject);
    const isTooLong = subject.length > (subject.isWhole ? MAX_FILE_BYTES : MAX_PART_BYTES);
    if (known !== null || isTooLong || this.waiting >= MAX_WAITING) {
      onDigest(known);
      return;
    }
    this.waiting += 1;
    const name = nameOf(subject);
    const job = this.jobs.get(name);
    if (job !== undefined) {
      job.waiting.push(onDigest);
      return;
    }
    const newJob = { name, subject, waiting: [onDigest] };
    this.jobs.set(name, newJob);
    if (this.jobs.size === 1) this.run(newJob);
  }

  private run(job: Job): void {
    const { key, validator, algorithm, first, length } = job.subject;
    const lane = this.lane();
    const computation = new Computation(lane, (digest) => this.finished(job, digest));
    const { transfer } = computation;
    lane.send({ type: 'digest.compute', transfer, key, validator, algorithm, first, length }, null);
  }

  private finished(job: Job, digest: string | null): void {
    if (digest !== null && job.subject.isWhole) this.keep(job.name, digest);
    this.jobs.delete(job.name);
    this.waiting -= job.waiting.length;
    const [next] = this.jobs.values();
    if (next !== undefined) this.run(next);
    for (const onDigest of job.waiting) onDigest(digest);
  }

  private keep(name: string, digest: string): void {
    this.kept.set(name, digest);
    for (const [oldest] of this.kept) {
      if (this.kept.size <= MAX_KEPT) break;
      this.kept.delete(oldest);
    }
  }
}

/** A validator names one content of its key. */
function nameOf({ key, validator, algorithm, first, length }: DigestSubject): string {
  return JSON.stringify([key, validator, algorithm, first, length]);
}

/** One computation in a lane, from the question to the answer. */
class Computation implements TransferListener {
  readonly transfer: number;
  private readonly lane: LaneClient;
  private readonly onEnd: OnDigest;

  constructor(lane: LaneClient, onEnd: OnDigest) {
    this.lane = lane;
    this.onEnd = onEnd;
    this.transfer = lane.begin(this);
  }

  receive(message: TransferMessage): void {
    if (message.type !== 'digest.computed') throw new Error(`unexpected ${message.type} for a digest`);
    this.lane.end(this.transfer);
    this.onEnd(message.digest);
  }

  laneLost(_failure: StorageFailure): void {
    this.onEnd(null);
  }
}
