/**
 * Joins plain figures to prom-client: counting happens in fields, and the library sees the figures when somebody scrapes.
 * An `inc` with labels costs a hundred times as much as an addition.
 */

import { Counter, Gauge, type Registry } from 'prom-client';
import { type ClosedLabel, labelSetIndex, labelSets } from './closed-label.ts';

export interface FamilyName {
  readonly name: string;
  readonly help: string;
}

/** A counter without labels that is read at each scrape. */
export function publishCounter(registry: Registry, family: FamilyName, read: () => number): void {
  new Counter({
    ...family,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** A gauge without labels that is read at each scrape; without a sample while the figure is unknown (null). */
export function publishGauge(registry: Registry, family: FamilyName, read: () => number | null): void {
  new Gauge({
    ...family,
    registers: [registry],
    collect() {
      const value = read();
      if (value === null) this.remove();
      else this.set(value);
    },
  });
}

/** A gauge with one label from a closed list; all of its samples are read at once, at each scrape. */
export function publishLabelledGauge(
  registry: Registry,
  family: FamilyName & { readonly label: string },
  read: () => Readonly<Record<string, number>>,
): void {
  const { name, help, label } = family;
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, figure] of Object.entries(read())) this.set({ [label]: value }, figure);
    },
  });
}

/** A gauge that is 1 and says something with its labels. */
export function publishInfo(registry: Registry, family: FamilyName, labels: Readonly<Record<string, string>>): void {
  new Gauge({ ...family, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1);
}

/** A counter with labels from closed lists. All of its series exist from the start. */
export class LabelledCounter {
  private readonly labels: readonly ClosedLabel[];
  private readonly counts: Float64Array;

  constructor(registry: Registry, family: FamilyName & { readonly labels: readonly ClosedLabel[] }) {
    const { name, help, labels } = family;
    const sets = labelSets(labels);
    const counts = new Float64Array(sets.length);
    this.labels = labels;
    this.counts = counts;
    new Counter({
      name,
      help,
      labelNames: labels.map((label) => label.name),
      registers: [registry],
      collect() {
        this.reset();
        for (const [index, set] of sets.entries()) this.inc(set, counts[index] ?? 0);
      },
    });
  }

  /** Adds one for the values, given in the order of the labels. */
  inc(...values: readonly string[]): void {
    const index = labelSetIndex(this.labels, values);
    if (index !== -1) this.counts[index] = (this.counts[index] ?? 0) + 1;
  }
}
