/**
 * Things that come and go by the thousand in a second, each found by a number. A `Map` or `Set` would do, but whenever
 * one is full of deleted entries it makes itself anew, and the old table, dead but no longer young, keeps alive all that
 * it held: a third of the garbage of this server survived its scavenges that way. Here slots are used again.
 */

/** More than can be open at any time; a power of two. */
const MAX_SLOTS = 2 ** 20;

export class SlotTable<T> implements Iterable<T> {
  private readonly items: (T | undefined)[] = [];
  /** The ticket of each slot's present or next item. */
  private readonly tickets: number[] = [];
  private readonly free: number[] = [];

  /** How many things are in the table. */
  get size(): number {
    return this.items.length - this.free.length;
  }

  /**
   * Takes a thing in and returns its ticket, a positive integer that this table never gives out again.
   * @throws RangeError when 1,048,576 things are in the table.
   */
  add(item: T): number {
    const slot = this.free.pop() ?? this.newSlot();
    this.items[slot] = item;
    return this.tickets[slot] ?? 0;
  }

  /** What was taken in under this ticket; undefined when it is out again. */
  get(ticket: number): T | undefined {
    const slot = ticket % MAX_SLOTS;
    return this.tickets[slot] === ticket ? this.items[slot] : undefined;
  }

  /** Takes a thing out; does nothing when it is out already. */
  remove(ticket: number): void {
    const slot = ticket % MAX_SLOTS;
    if (this.tickets[slot] !== ticket || this.items[slot] === undefined) return;
    this.items[slot] = undefined;
    this.tickets[slot] = ticket + MAX_SLOTS;
    this.free.push(slot);
  }

  clear(): void {
    this.items.forEach((item, slot) => {
      if (item !== undefined) this.remove(this.tickets[slot] ?? 0);
    });
  }

  /** In no particular order; what is added meanwhile may be left out. */
  *[Symbol.iterator](): Iterator<T> {
    for (const item of this.items) if (item !== undefined) yield item;
  }

  private newSlot(): number {
    const slot = this.items.length;
    if (slot === MAX_SLOTS) throw new RangeError('the slot table is full');
    this.items.push(undefined);
    this.tickets.push(slot + MAX_SLOTS);
    return slot;
  }
}
