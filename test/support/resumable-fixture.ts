/** Commands on uploads that can be gone on with, as main sends them to a lane, and a lane that answers them. */

import assert from 'node:assert/strict';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { FileKey } from '../../src/shared/files.ts';
import type { BodyPiece, FromLane, FromLaneBatch, ToLane } from '../../src/shared/messages.ts';
import type {
  AppendUpload,
  CreateUpload,
  ResourceName,
  ResumableBody,
  ResumableCommand,
  ResumableProtocol,
  UploadState,
  UploadTarget,
} from '../../src/shared/resumable.ts';
import type { SignatureCheck } from '../../src/shared/signature.ts';
import { Lane } from '../../src/workers/lane.ts';
import type { Storage } from '../../src/workers/storage/storage.ts';
import { LANE_SECRET, pieceOf } from './lane-fixture.ts';
import { signV } from './sign.ts';

/** A lane over a real port, and main's end of it. */
export class TestLane {
  readonly served: Promise<void>;
  private readonly port: MessagePort;
  private readonly answers: FromLane[] = [];
  private waiting: (() => void)[] = [];
  private lastTransfer = 0;

  constructor(storage: Storage) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.on('message', (messages: FromLaneBatch) => {
      this.answers.push(...messages);
      for (const wake of this.waiting.splice(0)) wake();
    });
    this.served = new Lane({ port: port2, secrets: [LANE_SECRET], storage }).serve();
  }

  send(message: ToLane): void {
    const piece = 'piece' in message ? message.piece : null;
    this.port.postMessage([message], piece === null ? [] : [piece.buffer]);
  }

  /** Opens a command; resolves to the number of its transfer. */
  open(
    command: ResumableCommand,
    { piece = null, keepVersions = null }: { piece?: BodyPiece | null; keepVersions?: number | null } = {},
  ): number {
    this.lastTransfer += 1;
    const transfer = this.lastTransfer;
    this.send({ type: 'resumable.open', transfer, command, allowedExtensions: null, keepVersions, piece });
    return transfer;
  }

  data(transfer: number, bytes: Uint8Array, isLast = false): void {
    this.send({ type: 'upload.data', transfer, piece: pieceOf(bytes, isLast) });
  }

  /** The next answer of that type about the transfer; other transfers keep theirs. */
  async next<T extends FromLane['type']>(transfer: number, type: T): Promise<Extract<FromLane, { type: T }>> {
    for (;;) {
      const index = this.answers.findIndex((answer) => 'transfer' in answer && answer.transfer === transfer);
      if (index === -1) {
        await new Promise<void>((resolve) => this.waiting.push(resolve));
        continue;
      }
      const [answer] = this.answers.splice(index, 1);
      assert.equal(answer?.type, type, JSON.stringify(answer));
      return answer as Extract<FromLane, { type: T }>;
    }
  }

  /** Runs a command whose body comes with its head. */
  async run(command: ResumableCommand, bytes: Uint8Array | null = null, keepVersions: number | null = null) {
    const piece = bytes === null ? null : pieceOf(bytes, true);
    const { outcome } = await this.next(this.open(command, { piece, keepVersions }), 'resumable.done');
    return outcome;
  }

  /** Runs a command that fails. */
  async fail(command: ResumableCommand, bytes: Uint8Array | null = null) {
    const piece = bytes === null ? null : pieceOf(bytes, true);
    const { failure } = await this.next(this.open(command, { piece }), 'resumable.failed');
    return failure;
  }

  /** Does what main does when another request wants the upload; returns how far this one came. */
  async giveUp(transfer: number): Promise<UploadState | null> {
    await this.next(transfer, 'upload.wanted');
    this.send({ type: 'upload.abort', transfer });
    return (await this.next(transfer, 'resumable.suspended')).state;
  }

  async close(): Promise<void> {
    this.port.close();
    await this.served;
  }
}

export function signatureOf(key: string, size: number, storedType: string | null = null): SignatureCheck {
  return { scheme: 'v', mac: signV(LANE_SECRET, key, size), messages: [{ text: `${key} ${size}`, storedType }] };
}

export const NO_TERMS = { usableUntilMs: null, expiresAtMs: null, owner: null } as const;

/** What a creation says beside its key and its size. */
export type CreationWords = Partial<CreateUpload>;

/** A creation of a signed upload of `size` bytes, of a declared length and without a body unless `said` differs. */
export function creation(key: string, size: number, said: CreationWords = {}): CreateUpload {
  return {
    type: 'create',
    protocol: 'tus',
    key: key as FileKey,
    signature: signatureOf(key, size),
    length: size,
    maxLength: size,
    signedLength: size,
    metadata: null,
    concatenation: null,
    digests: [],
    terms: NO_TERMS,
    body: null,
    ...said,
  };
}

export function bodyOf(length: number | null, said: Partial<ResumableBody> = {}): ResumableBody {
  return { length, digests: [], completes: null, ...said };
}

export function resource(name: ResourceName): UploadTarget {
  return { kind: 'resource', name };
}

export function slot(key: string, size: number): UploadTarget {
  return { kind: 'slot', key: key as FileKey, signature: signatureOf(key, size), terms: NO_TERMS };
}

export function appending(
  target: UploadTarget,
  offset: number,
  body: ResumableBody,
  said: Partial<AppendUpload> = {},
): AppendUpload {
  return { type: 'append', protocol: 'tus', target, offset, length: null, body, ...said };
}

export function inspection(target: UploadTarget, protocol: ResumableProtocol = 'tus'): ResumableCommand {
  return { type: 'inspect', protocol, target };
}

export function discarding(target: UploadTarget, protocol: ResumableProtocol = 'tus'): ResumableCommand {
  return { type: 'discard', protocol, target };
}
