/**
 * A reporter for `node --test`: after the tests it prints what they counted, and how many rows of faults.md ran. A row
 * is named by the `F..` at the start of a test's title.
 */

interface TestEvent {
  readonly type: string;
  readonly data: { readonly name?: string; readonly message?: string; readonly skip?: unknown };
}

const rowNames = /\bF\d\d\b/g;

class RowSummary {
  private readonly rows = new Set<string>();
  private readonly failedRows = new Set<string>();
  private readonly figures: string[] = [];
  private tests = 0;
  private failures = 0;

  take({ type, data }: TestEvent): void {
    if (type === 'test:diagnostic' && data.message?.match(/^F\d\d /)) this.figures.push(data.message);
    if ((type !== 'test:pass' && type !== 'test:fail') || data.skip !== undefined) return;
    const rows = (data.name ?? '').match(rowNames) ?? [];
    if (rows.length === 0) return;
    this.tests += 1;
    if (type === 'test:fail') this.failures += 1;
    for (const row of rows) {
      this.rows.add(row);
      if (type === 'test:fail') this.failedRows.add(row);
    }
  }

  render(): string {
    const points = this.figures.reduce((sum, figure) => sum + Number(/(\d+) points/.exec(figure)?.[1] ?? 0), 0);
    const failed = this.failedRows.size === 0 ? 'none failed' : `failed: ${[...this.failedRows].sort().join(' ')}`;
    const rows = [...this.rows].sort();
    return [
      '\nFault rows',
      ...this.figures.sort().map((figure) => `  ${figure}`),
      `${rows.length} rows ran in ${this.tests} tests (${this.failures} failures), ${points} crash points; ${failed}`,
      `  ${rows.join(' ')}\n`,
    ].join('\n');
  }
}

/** What `--test-reporter` calls. */
async function* summarize(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const summary = new RowSummary();
  for await (const event of events) summary.take(event);
  yield summary.render();
}

// biome-ignore lint/style/noDefaultExport: the test runner takes reporters by their default export.
export default summarize;
