/**
 * A lane: one long-lived job per worker thread that serves many transfers over one MessagePort, so that slow clients
 * can never use the pool up. A lane never throws: what goes wrong with a transfer is answered as data.
 */

import type { FromLane, LanePort, Secrets, ToLane, ToLaneBatch } from '../shared/messages.ts';
import { Outbox } from '../shared/outbox.ts';
import { deleteFile } from './delete-file.ts';
import { DigestFiles } from './digest-file.ts';
import { explainSignature } from './explain-signature.ts';
import type { LaneUpload, ReceiveContext } from './lane-upload.ts';
import { ReceiveResumable } from './receive-resumable.ts';
import { ReceiveUpload } from './receive-upload.ts';
import { SendFile } from './send-file.ts';
import type { Storage } from './storage/storage.ts';
import { toFailure } from './storage/storage-error.ts';
import { Turns } from './turns.ts';

/** More than there are threads to sync with. A thousand at once would hold 13 MiB until the last of them is durable. */
const KEPT_AT_ONCE = 64;

export class Lane {
  private readonly port: LanePort;
  private readonly outbox: Outbox<FromLane>;
  private readonly storage: Storage;
  private secrets: Secrets;
  /** Those that more messages may come for. */
  private readonly uploads = new Map<number, LaneUpload>();
  /** All whose outcome is open. */
  private openUploads = 0;
  private readonly downloads = new Map<number, SendFile>();
  private readonly keeping = new Turns(KEPT_AT_ONCE);
  private readonly digests: DigestFiles;
  /** Set once the port is closed. */
  private onIdle: (() => void) | null = null;

  constructor(dependencies: { port: LanePort; storage: Storage; secrets: Secrets }) {
    this.port = dependencies.port;
    this.outbox = new Outbox({ post: (messages, moved) => this.port.postMessage(messages, moved) });
    this.storage = dependencies.storage;
    this.secrets = dependencies.secrets;
    const { storage, send } = this;
    this.digests = new DigestFiles({ storage, send });
  }

  /**
   * Serves until main closes the port; then what arrived is kept of uploads that can be gone on with, all other transfers
   * that are left are discarded, and commits that run are awaited.
   */
  serve(): Promise<void> {
    return new Promise((resolve) => {
      this.port.on('message', (messages: ToLaneBatch) => {
        for (const message of messages) this.handle(message);
      });
      this.port.once('close', () => {
        this.onIdle = resolve;
        this.giveUpAll();
        this.checkIdle();
      });
    });
  }

  private handle(message: ToLane): void {
    switch (message.type) {
      case 'upload.open':
        this.openUpload(message);
        break;
      case 'resumable.open':
        this.openResumable(message);
        break;
      case 'upload.data':
        this.receive(message);
        break;
      case 'upload.abort':
        this.uploads.get(message.transfer)?.abort();
        break;
      case 'signature.explain':
        this.explain(message);
        break;
      case 'file.delete':
        this.deleteFile(message);
        break;
      case 'download.open':
        this.openDownload(message);
        break;
      case 'download.read':
        this.read(message);
        break;
      case 'download.close':
        this.closeDownload(message.transfer);
        break;
      case 'digest.compute':
        this.digests.compute(message);
        break;
      case 'secrets':
        this.secrets = message.secrets;
        break;
      default:
        message satisfies never;
    }
  }

  private readonly send = (message: FromLane): void => {
    this.outbox.put(message, message.buffer, weightOf(message));
  };

  private openUpload(message: Extract<ToLane, { type: 'upload.open' }>): void {
    const { transfer, piece } = message;
    const upload = ReceiveUpload.open(this.receiveContext, message);
    if (upload === null) return;
    this.openUploads += 1;
    // One that came whole with its head hears of nothing more.
    if (piece?.isLast !== true) this.uploads.set(transfer, upload);
    if (piece !== null) upload.receive(piece);
  }

  private openResumable(message: Extract<ToLane, { type: 'resumable.open' }>): void {
    const upload = new ReceiveResumable(this.receiveContext, message);
    this.openUploads += 1;
    this.uploads.set(message.transfer, upload);
    upload.start();
  }

  private get receiveContext(): ReceiveContext {
    const { storage, secrets, keeping, send } = this;
    return { storage, secrets, keeping, send, onEnd: this.endUpload };
  }

  private explain({ transfer, question }: Extract<ToLane, { type: 'signature.explain' }>): void {
    const hint = explainSignature(question, this.secrets);
    this.send({ type: 'signature.explained', transfer, hint, buffer: null });
  }

  /** Counts as an upload: what runs is brought to its end. */
  private deleteFile(message: Extract<ToLane, { type: 'file.delete' }>): void {
    this.openUploads += 1;
    void deleteFile(this.storage, this.secrets, message).then((answer) => {
      this.send(answer);
      this.endUpload(message.transfer);
    });
  }

  private readonly endUpload = (transfer: number): void => {
    this.openUploads -= 1;
    this.uploads.delete(transfer);
    this.checkIdle();
  };

  private checkIdle(): void {
    if (this.openUploads === 0) this.onIdle?.();
  }

  private receive({ transfer, piece }: Extract<ToLane, { type: 'upload.data' }>): void {
    const upload = this.uploads.get(transfer);
    if (upload === undefined) this.send({ type: 'buffer.returned', buffer: piece.buffer });
    else upload.receive(piece);
  }

  private openDownload(message: Extract<ToLane, { type: 'download.open' }>): void {
    const { transfer, buffer } = message;
    try {
      const { opened, download } = SendFile.open(this.storage, message);
      if (download !== null) this.downloads.set(transfer, download);
      this.send(opened);
    } catch (error) {
      this.send({ type: 'download.failed', transfer, failure: toFailure(error), buffer });
    }
  }

  private read(message: Extract<ToLane, { type: 'download.read' }>): void {
    const { transfer, buffer } = message;
    const download = this.downloads.get(transfer);
    if (download === undefined) {
      this.send({ type: 'buffer.returned', buffer });
      return;
    }
    try {
      this.send(download.read(message));
    } catch (error) {
      this.closeDownload(transfer);
      this.send({ type: 'download.failed', transfer, failure: toFailure(error), buffer });
    }
  }

  private closeDownload(transfer: number): void {
    this.downloads.get(transfer)?.close();
    this.downloads.delete(transfer);
  }

  private giveUpAll(): void {
    this.digests.stop();
    for (const upload of [...this.uploads.values()]) upload.abort();
    for (const transfer of [...this.downloads.keys()]) this.closeDownload(transfer);
  }
}

/** How many bytes wait for main to hear of them: those that it can send, or fill again. */
function weightOf(message: FromLane): number {
  switch (message.type) {
    case 'download.opened':
    case 'download.bytes':
      return message.length;
    case 'upload.written':
      return message.buffer.byteLength;
    default:
      return 0;
  }
}
