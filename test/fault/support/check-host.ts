/** Run before the tests: one clear message about a machine that cannot run them, instead of many failures. */

import { missingOnHost } from './host.ts';
import { LoopFileSystem } from './loop-file-system.ts';

function unusableFileSystems(): readonly string[] {
  return (['ext4', 'xfs'] as const).flatMap((kind) => {
    try {
      const fileSystem = LoopFileSystem.make(kind);
      try {
        fileSystem.cutPower();
        fileSystem.remount();
      } finally {
        fileSystem.remove();
      }
      return [];
    } catch (error) {
      return [`no ${kind} in a loop device that can lose its power: ${error instanceof Error ? error.message : error}`];
    }
  });
}

const missing = missingOnHost();
const problems = missing.length > 0 ? missing : unusableFileSystems();
if (problems.length > 0) {
  process.stderr.write(`The fault tests cannot run here:\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
  process.exitCode = 1;
}
