/** Freezes plain data all the way down. */

/** Freezes an object, its arrays and its objects; sets and maps are protected by their `Readonly` types only. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
