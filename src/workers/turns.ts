/**
 * Work of which only so much is done at once. What waits for its turn keeps its order, and holds nothing that the work
 * itself would take: a crowd that comes in one second costs little more memory than those whose turn it is.
 */

export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  /** Does the work when its turn has come. The work must not wait for other work that needs a turn. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    await this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  private async begin(): Promise<void> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.free -= 1;
  }

  /** Whoever is next gets the turn that has ended, and nobody else in between. */
  private end(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
