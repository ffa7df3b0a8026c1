/** Keeps one kind of log line from flooding the log: so many a second, the others counted. */

/** Kinds that are told apart; more than these share one budget. */
const MAX_KINDS = 64;
const OVERFLOW_KIND = '';
const SECOND_MS = 1000;

interface Budget {
  secondStartedMs: number;
  lines: number;
  suppressed: number;
}

export class LineLimiter {
  private readonly linesPerSecond: number;
  private readonly budgets = new Map<string, Budget>();

  constructor(linesPerSecond: number) {
    this.linesPerSecond = linesPerSecond;
  }

  /** Returns null when the line must not be written, otherwise how many of its kind were held back before it. */
  admit(kind: string, timeMs: number): number | null {
    const budget = this.budgetOf(kind);
    const ageMs = timeMs - budget.secondStartedMs;
    // A wall clock that was set back begins a new second as well.
    if (ageMs >= SECOND_MS || ageMs < 0) {
      budget.secondStartedMs = timeMs;
      budget.lines = 0;
    }
    if (budget.lines >= this.linesPerSecond) {
      budget.suppressed += 1;
      return null;
    }
    budget.lines += 1;
    const { suppressed } = budget;
    budget.suppressed = 0;
    return suppressed;
  }

  private budgetOf(kind: string): Budget {
    const known = this.budgets.get(kind);
    if (known !== undefined) return known;
    if (this.budgets.size >= MAX_KINDS && kind !== OVERFLOW_KIND) return this.budgetOf(OVERFLOW_KIND);
    const budget: Budget = { secondStartedMs: Number.NEGATIVE_INFINITY, lines: 0, suppressed: 0 };
    this.budgets.set(kind, budget);
    return budget;
  }
}
