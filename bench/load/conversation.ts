/** What one connection asks for, request after request: uploads of fresh files, reads of known ones. */

import type { Random } from '../random.ts';
import type { Load } from '../scenario.ts';
import type { OutgoingRequest } from './exchange.ts';
import type { Quota } from './quota.ts';
import { type NumberedFile, numberedFile, type ReadableFile, type RequestFactory } from './requests.ts';
import type { ResponseHead } from './response-parser.ts';

export interface Conversation {
  /**
   * The next request; `previous` is the right answer to the one before, null at the start and after a failure. Null: the quota is
   * used up.
   */
  next(previous: ResponseHead | null): OutgoingRequest | null;
}

const SAMPLE = 16;

/** Fresh files for all connections of one load in one thread, their requests prepared ahead of time as far as that is cheap. */
export class UploadSeries {
  private readonly factory: RequestFactory;
  private readonly prefix: string;
  private readonly sizes: Load['sizes'];
  private readonly seed: number;
  private readonly deck: OutgoingRequest[] = [];
  private readonly sampled: number[] = [];
  private begunCount = 0;
  private storedCount = 0;

  constructor(factory: RequestFactory, prefix: string, sizes: Load['sizes'], seed: number) {
    this.factory = factory;
    this.prefix = prefix;
    this.sizes = sizes;
    this.seed = seed;
  }

  /** How many files were begun: their numbers are 0 to this. */
  get begun(): number {
    return this.begunCount;
  }

  file(number: number): NumberedFile {
    return numberedFile(this.prefix, this.sizes, this.seed, number);
  }

  /** Builds and signs the first `count` requests. */
  prepare(count: number): void {
    for (let number = this.deck.length; number < count; number += 1) {
      this.deck.push(this.factory.put(this.file(number)));
    }
  }

  /** The number of a file that nobody has asked for yet. */
  begin(): number {
    this.begunCount += 1;
    return this.begunCount - 1;
  }

  request(number: number): OutgoingRequest {
    return this.deck[number] ?? this.factory.put(this.file(number));
  }

  /** Remembers a sample, spread over the whole run, of the files that were stored. */
  stored(number: number): void {
    this.storedCount += 1;
    const place = this.storedCount <= SAMPLE ? this.storedCount - 1 : Math.floor(Math.random() * this.storedCount);
    if (place < SAMPLE) this.sampled[place] = number;
  }

  /** Stored files to read again. */
  sample(): NumberedFile[] {
    return this.sampled.map((number) => this.file(number));
  }
}

export class PutConversation implements Conversation {
  private readonly series: UploadSeries;
  private readonly quota: Quota;
  private current = -1;

  constructor(series: UploadSeries, quota: Quota) {
    this.series = series;
    this.quota = quota;
  }

  next(previous: ResponseHead | null): OutgoingRequest | null {
    if (previous !== null && this.current >= 0) this.series.stored(this.current);
    this.current = -1;
    const number = this.series.begin();
    const request = this.series.request(number);
    if (!this.quota.take(request.body?.lengthBytes ?? 0)) return null;
    this.current = number;
    return request;
  }
}

export class ReadConversation implements Conversation {
  private readonly files: readonly ReadableFile[];
  private readonly requests: readonly OutgoingRequest[];
  private readonly rangeBytes: number | null;
  private readonly factory: RequestFactory;
  private readonly quota: Quota;
  private readonly random: Random;

  constructor(settings: {
    readonly files: readonly ReadableFile[];
    readonly load: Load;
    readonly factory: RequestFactory;
    readonly quota: Quota;
    readonly random: Random;
  }) {
    const { files, load, factory } = settings;
    this.files = files;
    this.rangeBytes = load.rangeBytes;
    this.factory = factory;
    this.quota = settings.quota;
    this.random = settings.random;
    this.requests = load.operation === 'head' ? files.map((file) => factory.headOf(file)) : [];
    if (load.operation === 'get' && load.rangeBytes === null) this.requests = files.map((file) => factory.get(file));
  }

  next(): OutgoingRequest | null {
    if (!this.quota.take(0)) return null;
    const place = Math.floor(this.random() * this.files.length);
    const file = this.files[place];
    if (file === undefined) return null;
    if (this.rangeBytes === null) return this.requests[place] ?? null;
    const length = Math.min(this.rangeBytes, file.size);
    return this.factory.getRange(file, Math.floor(this.random() * (file.size - length + 1)), length);
  }
}
