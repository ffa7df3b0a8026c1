/**
 * Main's end of one lane: numbers transfers, hands messages to whoever waits for them, and brings buffers home. Rule:
 * every buffer that was sent comes back exactly once, or is written off when the lane dies. What is said to the lane in
 * one turn of the event loop goes out together, since each crossing wakes a thread.
 */

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { BufferPool } from '../../shared/buffers.ts';
import type { FromLane, ToLane } from '../../shared/messages.ts';
import { Outbox } from '../../shared/outbox.ts';
import { type PackedFromLane, packToLane, unpackFromLane } from '../../shared/packed-messages.ts';
import { SlotTable } from '../../shared/slot-table.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';

/** Messages about one transfer. */
export type TransferMessage = Exclude<FromLane, { type: 'buffer.returned' }>;

/** One end of a transfer. Buffers of `download.*` messages belong to the listener, all others are home already. */
export interface TransferListener {
  receive(message: TransferMessage): void;
  /** The thread died; nothing more will come. */
  laneLost(failure: StorageFailure): void;
}

/** Has more to send once the turn is over. */
export interface TurnListener {
  turnEnded(): void;
}

export class LaneClient {
  readonly name: string;
  private readonly port: MessagePort;
  private readonly buffers: BufferPool;
  private readonly listeners = new SlotTable<TransferListener>();
  private readonly outbox: Outbox<ToLane>;
  private turnListeners: TurnListener[] = [];
  /** Found while reaping, and kept for a turn of their own. */
  private deferred: TransferMessage[] = [];
  private sentBuffers = 0;
  private sentBytes = 0;
  private received = 0;
  private receivedAtLook = 0;
  private isClosed = false;

  constructor(dependencies: { name: string; port: MessagePort; buffers: BufferPool }) {
    this.name = dependencies.name;
    this.port = dependencies.port;
    this.buffers = dependencies.buffers;
    this.outbox = new Outbox({
      post: (messages, moved) => this.port.postMessage(messages.map(packToLane), moved),
      onTurnEnd: () => this.turnEnded(),
    });
    this.port.on('message', (messages: readonly PackedFromLane[]) => {
      for (const message of messages) this.receive(unpackFromLane(message));
    });
  }

  /** The thread is gone: whatever is sent fails. */
  get isLost(): boolean {
    return this.isClosed;
  }

  get transfers(): number {
    return this.listeners.size;
  }

  /** Buffers on their way or being worked on. */
  get buffersInFlight(): number {
    return this.sentBuffers;
  }

  /** What they hold at most: the measure of how busy the lane is. */
  get bytesInFlight(): number {
    return this.sentBytes;
  }

  /** True when the lane has work, and has answered nothing since this was asked the last time. */
  standsStill(): boolean {
    const isStill = this.sentBuffers > 0 && this.received === this.receivedAtLook;
    this.receivedAtLook = this.received;
    return isStill;
  }

  /** Names a new transfer. */
  begin(listener: TransferListener): number {
    return this.listeners.add(listener);
  }

  /** Nobody listens any more; what still comes is tidied up. */
  end(transfer: number): void {
    this.listeners.remove(transfer);
  }

  /** Calls back at the end of this turn, before what was said in it goes out. */
  atTurnEnd(listener: TurnListener): void {
    this.turnListeners.push(listener);
    this.outbox.schedule();
  }

  /** Sends a message, at the end of the turn at the latest, moving its buffer if it has one. */
  send(message: ToLane, buffer: ArrayBuffer | null): void {
    if (this.isClosed) {
      this.refuse(message, buffer);
      return;
    }
    if (buffer !== null && this.buffers.owns(buffer)) {
      this.sentBuffers += 1;
      this.sentBytes += buffer.byteLength;
    }
    this.outbox.put(message, buffer, weightOf(message));
  }

  /** Takes waiting acknowledgements now, inside a callback that would otherwise not let them through. */
  reap(): void {
    this.outbox.post();
    for (let item = receiveMessageOnPort(this.port); item !== undefined; item = receiveMessageOnPort(this.port)) {
      const messages: readonly PackedFromLane[] = item.message;
      for (const packed of messages) {
        const message = unpackFromLane(packed);
        if (message.type === 'upload.written' || message.type === 'buffer.returned') this.receive(message);
        else this.defer(message);
      }
    }
  }

  /** The thread is gone: fails every transfer and writes its buffers off. */
  lost(failure: StorageFailure): number {
    const listeners = [...this.listeners];
    this.close();
    for (const listener of listeners) listener.laneLost(failure);
    return listeners.length;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.listeners.clear();
    this.outbox.clear();
    this.buffers.forget(this.sentBytes);
    this.sentBuffers = 0;
    this.sentBytes = 0;
    this.port.close();
  }

  private turnEnded(): void {
    const listeners = this.turnListeners;
    this.turnListeners = [];
    for (const listener of listeners) listener.turnEnded();
  }

  /** A transfer that began after the end of the lane hears of it in a turn of its own, like all others. */
  private refuse(message: ToLane, buffer: ArrayBuffer | null): void {
    if (buffer !== null) this.buffers.give(buffer);
    if (message.type === 'secrets') return;
    const listener = this.listeners.get(message.transfer);
    this.listeners.remove(message.transfer);
    if (listener === undefined) return;
    setImmediate(() => listener.laneLost({ code: 'worker-lost', detail: 'the lane is being replaced' }));
  }

  private defer(message: TransferMessage): void {
    this.deferred.push(message);
    if (this.deferred.length > 1) return;
    setImmediate(() => {
      const messages = this.deferred;
      this.deferred = [];
      for (const deferred of messages) this.receive(deferred);
    });
  }

  private receive(message: FromLane): void {
    if (this.isClosed) return;
    this.received += 1;
    if (message.buffer !== null && this.buffers.owns(message.buffer)) {
      this.sentBuffers -= 1;
      this.sentBytes -= message.buffer.byteLength;
    }
    if (message.type === 'buffer.returned') {
      this.buffers.give(message.buffer);
      return;
    }
    const listener = this.listeners.get(message.transfer);
    const belongsToListener = listener !== undefined && message.type.startsWith('download.');
    if (message.buffer !== null && !belongsToListener) this.buffers.give(message.buffer);
    if (listener !== undefined) listener.receive(message);
    else if (message.type === 'download.opened' && message.isOpen) {
      this.send({ type: 'download.close', transfer: message.transfer }, null);
    }
  }
}

/** Bytes that the lane is to write or to read. */
function weightOf(message: ToLane): number {
  switch (message.type) {
    case 'upload.open':
    case 'resumable.open':
    case 'upload.data':
      return message.piece?.length ?? 0;
    case 'download.read':
      return message.length;
    default:
      return 0;
  }
}
