/** Knowing that the log is complete: its lines come later than the answers, but in the order of the requests. */

import { randomBytes } from 'node:crypto';
import { get } from './raw-http.ts';
import type { LogLine, ServerProcess } from './server-process.ts';

/** All lines up to now, once those of every request that was answered before have been written. */
export async function linesUpToNow(server: ServerProcess): Promise<readonly LogLine[]> {
  const path = `/marker-${randomBytes(8).toString('hex')}`;
  await get(server.port, path);
  const marker = await server.event('request.completed', 10_000, (line) => line['path'] === path);
  return server.lines.slice(0, server.lines.indexOf(marker));
}
