/** A process of its own that recovers the store in its first argument: what `kill-at-step.ts` kills. */

import { recoverStore } from '../../src/workers/storage/recover-store.ts';

recoverStore(process.argv[2] ?? '');
