/** The rows of the catalogue of attacks (docs/security.md): A01 to A87, each with a test whose title begins with it. */

export const ATTACK_ROWS: readonly string[] = Array.from({ length: 87 }, (_, index) => {
  return `A${String(index + 1).padStart(2, '0')}`;
});
