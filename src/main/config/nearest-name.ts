/** Finds the name that a misspelt one was probably meant to be. */

/**
 * Damerau-Levenshtein distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment:
 * no part is edited twice).
 */
export function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= left.length; row += 1) {
    rows[row] = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      rows[row]?.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(left.length, right.length);
}

/** The form in which names are compared: lower case, without `_` and `-`. */
export function comparableName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/**
 * The nearest of some names: at most two edits away, three for names of more than 12 letters; of equally near ones the
 * first. Null: none is near.
 */
export function nearestName<T extends string>(name: string, candidates: readonly T[]): T | null {
  const wanted = comparableName(name);
  let nearest: T | null = null;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const comparable = comparableName(candidate);
    const limit = comparable.length > 12 ? 3 : 2;
    // A distance is at least the difference of the lengths.
    if (Math.abs(comparable.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, comparable);
    if (distance <= limit && distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}
