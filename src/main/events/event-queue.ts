/**
 * Events that wait for delivery, oldest first. Bounded: when it is full, events about connections go first, then whatever
 * comes new; events about the server's own life are never lost.
 */

import type { ServerEventType } from '../../shared/events.ts';

/** What an overflow gives up before anything else. */
const DROPPED_FIRST: ReadonlySet<ServerEventType> = new Set<ServerEventType>([
  'connection.opened',
  'connection.closed',
]);

export class EventQueue<E extends { readonly type: ServerEventType }> {
  private readonly capacity: number;
  /** Slots are reused: the events are those from `head` up to, not including, `tail`. */
  private readonly slots: (E | undefined)[] = [];
  private head = 0;
  private tail = 0;
  private dropped = 0;
  /** From an overflow until half of the queue is free again. Keeps the sweep below from running for every event. */
  private isPressed = false;

  /** `capacity`: events kept at most, those about the server's own life not counted. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.tail - this.head;
  }

  get isHalfFull(): boolean {
    return this.length > this.capacity / 2;
  }

  /** Events given up since the start. */
  get droppedEvents(): number {
    return this.dropped;
  }

  /** Returns false when the event was given up. */
  add(event: E): boolean {
    if (this.isPressed && !this.isHalfFull) this.isPressed = false;
    if ((this.isPressed || this.length >= this.capacity) && !this.admits(event.type)) {
      this.dropped += 1;
      return false;
    }
    if (this.tail >= this.capacity * 2) this.keep(() => true);
    this.slots[this.tail] = event;
    this.tail += 1;
    return true;
  }

  /** The oldest event. */
  take(): E | undefined {
    const event = this.slots[this.head];
    if (event === undefined) return undefined;
    this.slots[this.head] = undefined;
    this.head += 1;
    if (this.head === this.tail) {
      this.head = 0;
      this.tail = 0;
    }
    return event;
  }

  private admits(type: ServerEventType): boolean {
    if (!this.isPressed) {
      this.isPressed = true;
      this.dropped += this.keep((event) => !DROPPED_FIRST.has(event.type));
    }
    if (DROPPED_FIRST.has(type)) return false;
    return this.length < this.capacity || type.startsWith('server.');
  }

  /** Moves the events that pass to the front of the slots; returns how many did not. */
  private keep(passes: (event: E) => boolean): number {
    const before = this.length;
    let end = 0;
    for (let at = this.head; at < this.tail; at += 1) {
      const event = this.slots[at];
      if (event === undefined || !passes(event)) continue;
      this.slots[end] = event;
      end += 1;
    }
    this.slots.fill(undefined, end, this.tail);
    this.head = 0;
    this.tail = end;
    return before - end;
  }
}
