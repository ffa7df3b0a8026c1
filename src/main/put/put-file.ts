/**
 * Sends one file to a signed URL, whatever happens to the network and the server meanwhile: it asks how much has arrived
 * (PUT with `Content-Range: bytes *` + `/N`) and goes on from there. All that is known about an upload is the file and its
 * URL, so the same command goes on after it was stopped, too. Servers without partial uploads get the whole file again.
 */

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from './back-off.ts';
import type { LocalFile } from './local-file.ts';
import { ConnectionLost, ServerUntrusted, type SlotAnswer, SlotClient } from './slot-client.ts';

/** Who shows what happens. */
export interface PutView {
  /** So many bytes of the file are on their way, or have arrived. */
  sent(bytes: number): void;
  /** Something has failed and is tried again. */
  waiting(reason: string, delayMs: number): void;
  /** It goes on with this byte. */
  goingOn(offset: number): void;
  /** The file has arrived, and is compared. */
  checking(): void;
}

export interface PutOptions {
  readonly file: LocalFile;
  readonly url: URL;
  /** Media type to send; null: none. */
  readonly type: string | null;
  /** So long it is tried in vain. */
  readonly giveUpAfterMs: number;
  /** Silence of this length is a lost connection. */
  readonly stallMs: number;
  readonly view: PutView;
  readonly signal: AbortSignal;
}

export type PutOutcome =
  /** `isChecked`: the server's digest, or the content that it gives back, is that of the file. */
  | { readonly kind: 'stored'; readonly wasThere: boolean; readonly isChecked: boolean }
  /** The server's last word: its status, and the first line of what it says. */
  | { readonly kind: 'refused'; readonly status: number; readonly words: string }
  | { readonly kind: 'gave-up'; readonly reason: string }
  /** Its certificate is not accepted, or it speaks no TLS. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  /** What was sent has arrived as something else. */
  | { readonly kind: 'differs' };

/** Where the upload is. */
type Place =
  | { readonly kind: 'at'; readonly offset: number }
  | { readonly kind: 'complete' }
  /** The server knows no partial uploads: all or nothing. */
  | { readonly kind: 'whole' };

/** What arrived of a first part is kept even when the server is killed; whole files are kept when they are cut. */
const FIRST_PART_BYTES = 1024 * 1024;
/** A large file is synced, and its digest computed, before the server says anything. */
const CHECK_PATIENCE_MS = 10 * 60_000;

/** Rejects with LocalFileError, or with the reason of the signal. */
export async function putFile(options: PutOptions): Promise<PutOutcome> {
  const client = new SlotClient(options.signal);
  try {
    return await new Upload(options, client).run();
  } finally {
    client.close();
  }
}

class Upload {
  private readonly options: PutOptions;
  private readonly client: SlotClient;
  private readonly backOff: BackOff;
  private knowsParts = true;
  /** Of the file, as far as the server has said so. */
  private arrivedBytes = 0;
  /** It has said so just now, and need not be asked again. */
  private isPlaceKnown = false;
  /** The last byte has gone out: what is there now may be ours. */
  private hasSentAll = false;
  private lastConflict: SlotAnswer | null = null;

  constructor(options: PutOptions, client: SlotClient) {
    this.options = options;
    this.client = client;
    this.backOff = new BackOff({ limitMs: options.giveUpAfterMs, now: Date.now, random: Math.random });
  }

  async run(): Promise<PutOutcome> {
    for (;;) {
      const step = await this.attempt().catch((error: unknown) => {
        if (error instanceof ConnectionLost) return { kind: 'failed', reason: error.message, retryAfterMs: 0 } as const;
        if (error instanceof ServerUntrusted) return { kind: 'untrusted', reason: error.message } as const;
        throw error;
      });
      if (step === 'goes-on') continue;
      if (step.kind !== 'failed') return step;
      const delayMs = this.backOff.next(step.retryAfterMs);
      if (delayMs === null) return { kind: 'gave-up', reason: step.reason };
      this.options.view.waiting(step.reason, delayMs);
      await delay(delayMs, null, { signal: this.options.signal });
    }
  }

  private async attempt(): Promise<PutOutcome | Failed | 'goes-on'> {
    const place = await this.locate();
    if (place.kind === 'failed') return place;
    if (place.kind === 'complete') return this.check();
    const answer = place.kind === 'whole' ? await this.sendWhole() : await this.sendPart(place.offset);
    return this.judge(answer);
  }

  private async locate(): Promise<Place | Failed> {
    const { file, url, view, stallMs } = this.options;
    if (file.size === 0 || !this.knowsParts) return { kind: 'whole' };
    if (this.isPlaceKnown) {
      this.isPlaceKnown = false;
      return { kind: 'at', offset: this.arrivedBytes };
    }
    const fields = this.fields(0, `bytes */${file.size}`);
    const answer = await this.client.send({ method: 'PUT', url, fields, body: null, patienceMs: stallMs });
    if (answer.status === 308) {
      const offset = offsetOf(answer);
      this.arrived(offset);
      if (offset > 0) view.goingOn(offset);
      return { kind: 'at', offset };
    }
    if (answer.status >= 200 && answer.status < 300) return { kind: 'complete' };
    if (isTransient(answer.status)) return failed(answer);
    this.knowsParts = false;
    return { kind: 'whole' };
  }

  private sendWhole(): Promise<SlotAnswer> {
    const { file } = this.options;
    return this.send(0, file.size, null);
  }

  private sendPart(offset: number): Promise<SlotAnswer> {
    const { size } = this.options.file;
    const end = offset === 0 && size > 2 * FIRST_PART_BYTES ? FIRST_PART_BYTES : size;
    return this.send(offset, end, `bytes ${offset}-${end - 1}/${size}`);
  }

  private send(start: number, end: number, range: string | null): Promise<SlotAnswer> {
    const { url, stallMs } = this.options;
    const fields = this.fields(end - start, range);
    const body = start === end ? null : this.watched(start, end);
    // Without parts nobody has looked at the URL yet: not a byte is sent in vain.
    return this.client.send({ method: 'PUT', url, fields, body, expectsContinue: range === null, patienceMs: stallMs });
  }

  private async *watched(start: number, end: number): AsyncGenerator<Uint8Array> {
    const { file, view } = this.options;
    let at = start;
    view.sent(at);
    for await (const piece of file.read(start, end)) {
      at += piece.length;
      this.hasSentAll ||= at === file.size;
      yield piece;
      view.sent(at);
    }
  }

  private fields(length: number, range: string | null): Readonly<Record<string, string | number>> {
    const { type } = this.options;
    return {
      'Content-Length': length,
      ...(range === null ? {} : { 'Content-Range': range }),
      ...(type === null ? {} : { 'Content-Type': type }),
    };
  }

  private judge(answer: SlotAnswer): Promise<PutOutcome> | PutOutcome | Failed | 'goes-on' {
    const { status } = answer;
    if (status >= 200 && status < 300) {
      this.hasSentAll = true;
      this.lastConflict = null;
      return this.check();
    }
    if (status === 308 && offsetOf(answer) > this.arrivedBytes) {
      this.arrived(offsetOf(answer));
      this.isPlaceKnown = true;
      this.lastConflict = null;
      return 'goes-on';
    }
    if (status === 409) return this.conflicting(answer);
    if (status === 308 || isTransient(status)) return failed(answer);
    return refused(answer);
  }

  /** Another place than ours, or the file is there already: it may be this one, whose answer was lost. */
  private conflicting(answer: SlotAnswer): Promise<PutOutcome> | Failed {
    const isSecond = this.lastConflict !== null;
    this.lastConflict = answer;
    if (!this.knowsParts || this.options.file.size === 0 || isSecond) return this.check();
    return { kind: 'failed', reason: 'the server is elsewhere in the file', retryAfterMs: 0 };
  }

  private arrived(bytes: number): void {
    if (bytes > this.arrivedBytes) this.backOff.reset();
    this.arrivedBytes = bytes;
  }

  private async check(): Promise<PutOutcome> {
    const { file, view } = this.options;
    view.sent(file.size);
    view.checking();
    const found = await this.storedDigest();
    const wasThere = !this.hasSentAll;
    if (found !== null && found === (await file.sha256())) return { kind: 'stored', wasThere, isChecked: true };
    if (wasThere || this.lastConflict !== null) return refused(this.lastConflict);
    return found === null ? { kind: 'stored', wasThere, isChecked: false } : { kind: 'differs' };
  }

  /** SHA-256 of what the server has, as it says, or as it gives it back; null: it does neither. */
  private async storedDigest(): Promise<string | null> {
    const url = downloadUrl(this.options.url);
    const patienceMs = CHECK_PATIENCE_MS;
    const fields = { 'Want-Repr-Digest': 'sha-256=10' };
    const head = await this.client.send({ method: 'HEAD', url, fields, body: null, patienceMs });
    if (isTransient(head.status)) throw new ConnectionLost(`the server answers ${head.status}`);
    if (head.status !== 200) return null;
    const digest = /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/=]+):/.exec(String(head.fields['repr-digest'] ?? ''))?.[1];
    if (digest !== undefined) return digest;
    const hash = createHash('sha256');
    const onBody = (chunk: Uint8Array): void => {
      hash.update(chunk);
    };
    const answer = await this.client.send({ method: 'GET', url, fields: {}, body: null, patienceMs, onBody });
    return answer.status === 200 ? hash.digest('base64') : null;
  }
}

interface Failed {
  readonly kind: 'failed';
  readonly reason: string;
  /** The server asks not to come back sooner. */
  readonly retryAfterMs: number;
}

/** The URL at which the file can be fetched: the slot's without its signature. */
export function downloadUrl(url: URL): URL {
  const bare = new URL(url);
  bare.search = '';
  bare.hash = '';
  return bare;
}

/** Statuses that pass: a full disk (507) does not, as far as anybody who waits here is concerned. */
function isTransient(status: number): boolean {
  return [408, 423, 425, 429, 500, 502, 503, 504].includes(status);
}

function failed(answer: SlotAnswer): Failed {
  const retryAfter = String(answer.fields['retry-after'] ?? '');
  const retryAfterMs = /^[0-9]{1,4}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : 0;
  return { kind: 'failed', reason: `the server answers ${answer.status}: ${firstLine(answer.text)}`, retryAfterMs };
}

function refused(answer: SlotAnswer | null): PutOutcome {
  return { kind: 'refused', status: answer?.status ?? 409, words: firstLine(answer?.text ?? 'Conflict') };
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')[0]
      ?.replaceAll(/\p{Cc}/gu, ' ')
      .slice(0, 200)
      .trim() ?? ''
  );
}

/** How many bytes a 308 says that there are. */
function offsetOf(answer: SlotAnswer): number {
  const last = /^bytes=0-([0-9]{1,15})$/.exec(String(answer.fields['range'] ?? ''))?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
