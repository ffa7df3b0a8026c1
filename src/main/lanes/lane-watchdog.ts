/**
 * Finds lanes that hang: a disk that does not answer blocks the thread that asked it, and says nothing. Looked at once a
 * second and counted in looks, so that a process that was stopped itself does not take its own absence for a fault.
 */

/** What the watchdog sees of a lane. */
export interface WatchedLane {
  readonly name: string;
  /** True when it has work, and has answered nothing since this was asked the last time. */
  standsStill(): boolean;
}

/** After so many looks in a row the store is taken for hung (storage-commit §9). */
export const HUNG_LOOKS = 60;

export class LaneWatchdog {
  private readonly stillLooks = new WeakMap<WatchedLane, number>();

  /** The name of a lane that hangs; null: none does. Call it once a second. */
  hungLane(lanes: readonly WatchedLane[]): string | null {
    let hung: string | null = null;
    for (const lane of lanes) {
      const looks = lane.standsStill() ? (this.stillLooks.get(lane) ?? 0) + 1 : 0;
      this.stillLooks.set(lane, looks);
      if (looks >= HUNG_LOOKS) hung ??= lane.name;
    }
    return hung;
  }
}
