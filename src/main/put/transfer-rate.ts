/** How fast bytes go out at the moment: over the last seconds, so that the figure neither jumps nor lags. */

const WINDOW_MS = 5_000;

export class TransferRate {
  private samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** So many bytes have gone out in all. Fewer than before: the transfer goes on from an earlier place. */
  sample(atMs: number, bytes: number): void {
    const last = this.samples.at(-1);
    if (last !== undefined && bytes < last.bytes) this.samples = [];
    this.samples.push({ atMs, bytes });
    while (this.samples.length > 2 && (this.samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.samples.shift();
  }

  /** null: nothing is known yet. */
  get bytesPerSecond(): number | null {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return null;
    return ((last.bytes - first.bytes) * 1_000) / (last.atMs - first.atMs);
  }
}
