/**
 * A mistake in the configuration, with the place where it stands. Problems are collected and shown together; none of them
 * ever carries the value of a secret.
 */

/** Where a setting, or a mistake, was found. Lines and columns count from 1; null: the file as a whole. */
export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null; readonly column: number | null }
  | { readonly kind: 'environment'; readonly variable: string };

export interface ConfigProblem {
  readonly place: Place;
  /** The key that is meant, in its own spelling where it is known; null: none in particular. */
  readonly key: string | null;
  /** One line that says what was found and what is allowed. */
  readonly message: string;
}

/** `config.toml:12:1`, `config.toml`, or the name of the environment variable. */
export function formatPlace(place: Place): string {
  if (place.kind === 'environment') return place.variable;
  return [place.file, place.line, place.column].filter((part) => part !== null).join(':');
}

/** `config.toml:12:1: unknown key "MaxVersion" - did you mean "MaxVersions"?` */
export function formatProblem(problem: ConfigProblem): string {
  return `${formatPlace(problem.place)}: ${problem.message}`;
}

/** Every problem on a line of its own, and how many there are. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  return `${problems.map((problem) => `${formatProblem(problem)}\n`).join('')}${count} in the configuration\n`;
}

function sortKey(place: Place): readonly [number, number, number] {
  if (place.kind === 'environment') return [1, 0, 0];
  return [0, place.line ?? Number.MAX_SAFE_INTEGER, place.column ?? 0];
}

/** In the order of the file, then what concerns the file as a whole, then the environment. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.toSorted((left, right) => {
    const [leftKind, leftLine, leftColumn] = sortKey(left.place);
    const [rightKind, rightLine, rightColumn] = sortKey(right.place);
    return leftKind - rightKind || leftLine - rightLine || leftColumn - rightColumn;
  });
}
