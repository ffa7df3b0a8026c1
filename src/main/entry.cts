#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 MALLOC_TRIM_THRESHOLD_=1048576 node --max-semi-space-size=4 --no-node-snapshot
/**
 * The executable. Four settings of native code must stand before it starts. libuv reads the size of its thread pool when
 * the first file is read, and loading ES modules reads files. glibc must not raise its thresholds when transfer buffers
 * are freed, or their memory stays with the process after a burst. V8 must not let the young generation grow to 32 MiB
 * before it looks for garbage there: a crowd of clients would fill it once, and it stays. And threads of Node.js are to be
 * made step by step, not from its snapshot, which has more in it than lanes need: 2 MiB for each.
 */

// Also when started as `node entry.cjs`, without the line above: contents are synced in this pool, and with its four
// threads a few of them would hold up every other.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

void import('./index.ts');
