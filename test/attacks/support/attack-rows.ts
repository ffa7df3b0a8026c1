/**
 * The rows of the catalogue of attacks (docs/security.md): A01 to A87, each with a test whose title begins with it. A row
 * that `npm run test:attacks` does not run stands here with the reason.
 */

export const ATTACK_ROWS: readonly string[] = Array.from({ length: 87 }, (_, index) => {
  return `A${String(index + 1).padStart(2, '0')}`;
});

export const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  A25: 'needs a file system that folds names: npm run test:fault',
  A75: 'a store without inodes and the end of empty folders: F15 in npm run test:fault, and the sweep in test:integration',
};
