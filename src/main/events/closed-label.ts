/** A metric label whose values come from a closed list: whatever clients send, the number of series stays the same. */

/** Stands for every value outside the list. */
export const OTHER = 'other';

export class ClosedLabel {
  readonly name: string;
  readonly values: readonly string[];
  private readonly indexes: ReadonlyMap<string, number>;
  private readonly fallback: number;

  /** Values outside the list count as `other` when the list contains it, and not at all otherwise. */
  constructor(name: string, values: readonly string[]) {
    this.name = name;
    this.values = values;
    this.indexes = new Map(values.map((value, index) => [value, index]));
    this.fallback = this.indexes.get(OTHER) ?? -1;
  }

  /** Place of the value in the list; -1 when it has none. */
  indexOf(value: string): number {
    return this.indexes.get(value) ?? this.fallback;
  }
}

/** Every combination of the labels' values, the last label changing fastest. */
export function labelSets(labels: readonly ClosedLabel[]): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}];
  for (const { name, values } of labels) {
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })));
  }
  return sets;
}

/** Where the combination of values stands in `labelSets`; -1 when one of them has no place. */
export function labelSetIndex(labels: readonly ClosedLabel[], values: readonly string[]): number {
  let index = 0;
  let position = 0;
  for (const label of labels) {
    const place = label.indexOf(values[position] ?? '');
    if (place === -1) return -1;
    index = index * label.values.length + place;
    position += 1;
  }
  return index;
}
