/** One monotonic clock for all threads of the process: `performance.now()` begins anew in each of them. */

const [seconds, nanoseconds] = process.hrtime();
const offsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

/** Milliseconds of the monotonic clock, comparable between threads. */
export function nowMs(): number {
  return offsetMs + performance.now();
}
