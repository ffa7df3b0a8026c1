/**
 * The rows of the catalogue of attacks (docs/security.md): A01 to A87, each with a test whose title begins with it. A row
 * that `npm run test:attacks` does not run stands here with the reason.
 */

export const ATTACK_ROWS: readonly string[] = Array.from({ length: 87 }, (_, index) => {
  return `A${String(index + 1).padStart(2, '0')}`;
});

export const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  A25: 'needs a file system that folds names: npm run test:fault',
  A73: 'limits of resumable uploads: rows of their own checklist (T-P, T-K) in npm run test:e2e',
  A75: 'a store without inodes and the end of empty folders: F15 in npm run test:fault, and the sweep in test:integration',
  A82: 'one warning at a start as root: not in this release; units and images name another user',
  A86: 'the systemd unit: npm run test:ops, when it ships one',
  A87: 'lockfile, install scripts and the digest of the addon: npm run test:ops, when it ships them',
};
