/**
 * Keeps the bytes that wait for the disk within memory. Pausing one socket is not enough: the transport reads on from it
 * for as long as it is full, and from every other socket that is ready. So when the buffers run low all uploads stop
 * reading at once, and go on together when the lanes have caught up.
 */

import type { BufferPool } from '../../shared/buffers.ts';

/** An upload whose reading can be held. */
export interface GatedUpload {
  hold(): void;
  letGo(): void;
}

/** Shares of all buffers. The rest above `CLOSE_AT` is for what the one socket that is being read still delivers. */
const CLOSE_AT = 1 / 8;
const OPEN_AT = 1 / 16;
/** From here on a burst waits for the lanes before it takes more memory; what is left is for when they cannot keep up. */
const FLOOD_AT = 1 / 3;

/**
 * How long the event loop may be held until the gate opens again, in all and while no lane writes anything: a hung disk
 * must not stop it. Half of either to keep memory low, the rest so that no upload is given up.
 */
const MAX_HOLD_MS = 10_000;
const MAX_STILL_MS = 2_000;

export class ReadGate {
  private readonly buffers: BufferPool;
  private readonly closeAt: number;
  private readonly openAt: number;
  private readonly floodAt: number;
  /** In the order in which they are let go: whoever took bytes last comes last, so that each has its turn. */
  private readonly uploads = new Set<GatedUpload>();
  /** Nobody may begin to read. */
  isClosed = false;
  private heldMs = 0;
  /** Of them, since a buffer came home. */
  private stillMs = 0;

  constructor(buffers: BufferPool) {
    this.buffers = buffers;
    this.closeAt = buffers.maxBytes * CLOSE_AT;
    this.openAt = buffers.maxBytes * OPEN_AT;
    this.floodAt = buffers.maxBytes * FLOOD_AT;
    buffers.watch(() => this.relieve());
  }

  /** For uploads whose body is still coming; what came whole with its head needs no gate. */
  add(upload: GatedUpload): void {
    this.uploads.add(upload);
    if (this.isClosed) upload.hold();
  }

  remove(upload: GatedUpload): void {
    this.uploads.delete(upload);
  }

  /** True when the upload should take back what its lane is done with before it goes on. */
  get isTight(): boolean {
    return this.buffers.inUseBytes >= this.closeAt;
  }

  /** True when an upload should be content with the smallest buffer that holds what has come. */
  get isFlooded(): boolean {
    return this.buffers.inUseBytes >= this.floodAt;
  }

  /** Called by the upload that has just taken bytes. */
  press(upload: GatedUpload): void {
    if (!this.isTight) return;
    this.uploads.delete(upload);
    this.uploads.add(upload);
    if (this.isClosed) upload.hold();
    else this.close();
  }

  /** Asks for another millisecond of the event loop, for lanes to write in, before more memory is taken. */
  mayAwaitLanes(): boolean {
    return this.isFlooded && this.mayHoldLoop(1 / 2);
  }

  /** Asks for another millisecond of the event loop when every buffer is in use. */
  mayAwaitBuffer(): boolean {
    return this.mayHoldLoop(1);
  }

  private mayHoldLoop(share: number): boolean {
    if (this.heldMs >= MAX_HOLD_MS * share || this.stillMs >= MAX_STILL_MS * share) return false;
    this.heldMs += 1;
    this.stillMs += 1;
    return true;
  }

  private close(): void {
    this.isClosed = true;
    for (const upload of this.uploads) upload.hold();
  }

  private relieve(): void {
    this.stillMs = 0;
    if (!this.isClosed || this.buffers.inUseBytes > this.openAt) return;
    this.isClosed = false;
    this.heldMs = 0;
    for (const upload of this.uploads) upload.letGo();
  }
}
