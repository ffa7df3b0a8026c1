/** Which rows of the catalogue of attacks ran, and which did not. */

import { ATTACK_ROWS } from './attack-rows.ts';

/** As the test runner tells it. */
interface EndOfTest {
  readonly name: string;
  readonly skip?: string | boolean | undefined;
}

/** All rows that a title begins with. */
const leadingRows = /^(?:A\d\d )+/;

export class AttackSummary {
  private readonly rows = new Set<string>();
  private readonly failedRows = new Set<string>();
  private tests = 0;

  take({ name, skip }: EndOfTest, hasPassed: boolean): void {
    if (skip !== undefined) return;
    const rows = leadingRows.exec(name)?.[0].trim().split(' ') ?? [];
    if (rows.length === 0) return;
    this.tests += 1;
    for (const row of rows) {
      this.rows.add(row);
      if (!hasPassed) this.failedRows.add(row);
    }
  }

  /** Rows that should have run. */
  get missing(): readonly string[] {
    return ATTACK_ROWS.filter((row) => !this.rows.has(row));
  }

  render(): string {
    const failed = [...this.failedRows].sort().join(' ');
    return [
      `\n${this.rows.size} of ${ATTACK_ROWS.length} rows of attacks ran in ${this.tests} tests`,
      failed === '' ? '  none failed' : `  failed: ${failed}`,
      this.missing.length === 0 ? '' : `  missing: ${this.missing.join(' ')}\n`,
    ].join('\n');
  }
}
