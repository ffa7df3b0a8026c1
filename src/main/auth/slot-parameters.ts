/**
 * The query of a slot URL. Items are split at `&` only; names and values are taken undecoded and case-sensitive, so that
 * no two spellings mean the same. Unknown names are somebody else's and ignored.
 */

/** Values of the known names; null: absent, or present without a value. */
export interface SlotParameters {
  readonly v: string | null;
  readonly v2: string | null;
  readonly v3: string | null;
  readonly token: string | null;
  /** Time until which a `v3` signature is good. */
  readonly expires: string | null;
  /** Signed size of a resumable upload whose request does not tell it. */
  readonly s: string | null;
}

export type SlotQuery =
  | { readonly kind: 'parameters'; readonly parameters: SlotParameters }
  /** A known name occurs twice, equal or not, empty or not: 400. */
  | { readonly kind: 'repeated' };

/** The signature that decides. */
export interface SlotMac {
  readonly scheme: 'v' | 'v2' | 'token' | 'v3';
  readonly value: string;
}

type Name = keyof SlotParameters;

const absent: SlotParameters = { v: null, v2: null, v3: null, token: null, expires: null, s: null };
const noParameters: SlotQuery = { kind: 'parameters', parameters: absent };
const repeated: SlotQuery = { kind: 'repeated' };
const longestName = 'expires'.length;

/**
 * Reads the text behind the first `?`; null without one. Never throws; linear in its length.
 */
export function parseSlotQuery(query: string | null): SlotQuery {
  if (query === null || query === '') return noParameters;
  const parameters: Record<Name, string | null> = { ...absent };
  const seen = new Set<Name>();
  for (let start = 0; start <= query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const name = nameAt(query, start, end);
    if (name !== null) {
      if (seen.has(name)) return repeated;
      seen.add(name);
      const value = query.slice(start + name.length + 1, end);
      if (value !== '') parameters[name] = value;
    }
    start = end + 1;
  }
  return { kind: 'parameters', parameters };
}

/** The known name of the item between two indexes; null when it has another one. */
function nameAt(query: string, start: number, end: number): Name | null {
  const reach = query.slice(start, Math.min(end, start + longestName + 1));
  const equals = reach.indexOf('=');
  const name = equals === -1 ? reach : reach.slice(0, equals);
  switch (name) {
    case 'v':
    case 'v2':
    case 'v3':
    case 'token':
    case 'expires':
    case 's':
      return name;
    default:
      return null;
  }
}

/** The highest version present decides alone: `v3`, `v2`, `token`, `v`. Null without any. */
export function decidingMac(parameters: SlotParameters): SlotMac | null {
  const { v, v2, v3, token } = parameters;
  if (v3 !== null) return { scheme: 'v3', value: v3 };
  if (v2 !== null) return { scheme: 'v2', value: v2 };
  if (token !== null) return { scheme: 'token', value: token };
  return v === null ? null : { scheme: 'v', value: v };
}
