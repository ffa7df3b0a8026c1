/**
 * Finds what a request asks for in the way of digests before its answer begins: looks at the file, plans the answer, and
 * hashes what has to be hashed. The answer itself is then made as always.
 */

import type { FileKey } from '../../shared/files.ts';
import { type DigestAlgorithm, type FieldDigest, storedDigest } from '../http/digest-fields.ts';
import type { RequestHead } from '../http/exchange.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import type { ContentDigests, DigestSubject } from './content-digests.ts';
import type { DigestWish, FoundDigests } from './digest-wish.ts';
import { type DownloadPlan, planDownload } from './download-plan.ts';
import { planContext } from './lane-download.ts';
import { type RepresentationRules, represent } from './representation.ts';

type Opened = Extract<TransferMessage, { type: 'download.opened' }>;
type Planned = Exclude<DownloadPlan, { kind: 'problem' }>;

export interface DigestLookupOptions {
  readonly lane: LaneClient;
  readonly digests: ContentDigests;
  readonly rules: RepresentationRules;
  readonly head: RequestHead;
  readonly key: FileKey;
  readonly wish: DigestWish;
  /** Called once; null: none can be had. */
  readonly onFound: (found: FoundDigests | null) => void;
}

export class DigestLookup implements TransferListener {
  private readonly options: DigestLookupOptions;
  private readonly transfer: number;

  constructor(options: DigestLookupOptions) {
    this.options = options;
    this.transfer = options.lane.begin(this);
  }

  start(): void {
    const { lane, key } = this.options;
    lane.send({ type: 'download.open', transfer: this.transfer, key, offset: 0, buffer: null }, null);
  }

  receive(message: TransferMessage): void {
    this.options.lane.end(this.transfer);
    if (message.type === 'download.opened') this.opened(message);
    // Whoever then asks for the file itself is told why it cannot be read.
    else this.options.onFound(null);
  }

  laneLost(): void {
    this.options.onFound(null);
  }

  private opened(opened: Opened): void {
    const { head, key, rules, wish, onFound } = this.options;
    const file = represent(key, opened.file, rules, opened.expiresMs);
    const plan = planDownload(head, file, planContext(rules));
    if (plan.kind === 'problem' || plan.head.status === 304) {
      onFound(null);
      return;
    }
    const { status, length } = plan.head;
    const legacy = wish.isLegacy ? this.atHand(opened, 'sha256') : null;
    this.findWhole(opened, wish.representation, (representation) => {
      this.findContent(opened, plan, wish.content, (content) => {
        onFound({ etag: file.validators.etag, status, length, representation, content, legacy });
      });
    });
  }

  /** The digest of the whole file, as far as nothing has to be read for it. */
  private atHand(opened: Opened, algorithm: DigestAlgorithm): FieldDigest | null {
    const stored = algorithm === 'sha256' ? storedDigest(opened.file) : null;
    if (stored !== null) return stored;
    const value = this.options.digests.known(this.whole(opened, algorithm));
    return value === null ? null : { algorithm, value };
  }

  private findWhole(
    opened: Opened,
    algorithm: DigestAlgorithm | null,
    onFound: (found: FieldDigest | null) => void,
  ): void {
    const known = algorithm === null ? null : this.atHand(opened, algorithm);
    if (algorithm === null || known !== null) onFound(known);
    else this.find(this.whole(opened, algorithm), onFound);
  }

  /** Of the body that was planned: the whole file, or one part of it. Several parts have none. */
  private findContent(
    opened: Opened,
    plan: Planned,
    algorithm: DigestAlgorithm | null,
    onFound: (found: FieldDigest | null) => void,
  ): void {
    const [segment, ...others] = plan.kind === 'stream' ? plan.segments : [];
    const isPart = plan.head.status === 206;
    if (!isPart || algorithm === null) this.findWhole(opened, algorithm, onFound);
    else if (segment?.kind !== 'file' || others.length > 0) onFound(null);
    else {
      const { first, length } = segment;
      this.find({ ...this.whole(opened, algorithm), first, length, isWhole: length === opened.file.size }, onFound);
    }
  }

  private find(subject: DigestSubject, onFound: (found: FieldDigest | null) => void): void {
    const { algorithm } = subject;
    this.options.digests.find(subject, (value) => onFound(value === null ? null : { algorithm, value }));
  }

  private whole({ file }: Opened, algorithm: DigestAlgorithm): DigestSubject {
    const { key } = this.options;
    return { key, validator: file.validator, algorithm, first: 0, length: file.size, isWhole: true };
  }
}
