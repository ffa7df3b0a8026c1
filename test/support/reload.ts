/** Changes the configuration of a running server, as an operator does: edits the file and sends SIGHUP. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine, ServerProcess } from './server-process.ts';

/** Resolves to the line that the server logs about it. */
export async function reload(
  server: ServerProcess,
  change: (text: string) => string,
  event = 'config.reloaded',
): Promise<LogLine> {
  const file = join(server.folder, 'config.toml');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  const seen = server.lines.length;
  server.kill('SIGHUP');
  return server.event(event, 10_000, (line) => server.lines.indexOf(line) >= seen);
}
