#!/usr/bin/env -S MALLOC_TRIM_THRESHOLD_=1048576 node --max-semi-space-size=2 --no-node-snapshot
/**
 * The executable. Some settings of native code must stand before it starts, hence the first line, which `npm start`, the
 * Dockerfile and docs/operations.md repeat. glibc must not raise its thresholds when transfer buffers are freed, or their
 * memory stays with the process after a burst. V8 must not let the young generation grow to 32 MiB before it looks for
 * garbage there: a crowd of clients would fill it once, and it stays. And threads are made step by step, not from the
 * snapshot of Node.js, which has more in it than lanes need: 2 MiB for each.
 */

// libuv reads this when its pool is first used, which loading ES modules does. Contents are synced in it: with its four
// threads a few of them would hold up every other.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

void import('./index.ts');
