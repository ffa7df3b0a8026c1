/**
 * The plainest server that loses no upload: it writes a file, syncs it, gives it its name and syncs the folder, and does
 * so for one upload after the other. What a disk does in this way is what group commits and shared syncs are compared to.
 */

import uWS, { type HttpRequest, type HttpResponse } from 'uWebSockets.js';
import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** The working directory, where everything is kept. */
const folder = openSync('.', 'r');
const MODE = 0o640;

/** Flat: folders of the paths would only add syncs of their own. */
function nameOf(request: HttpRequest): string {
  return request.getUrl().slice(1).replaceAll('/', '+');
}

function keep(name: string, bytes: Buffer): void {
  const fd = openSync(`${name}.part`, 'wx', MODE);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  fdatasyncSync(fd);
  closeSync(fd);
  renameSync(`${name}.part`, name);
  fsyncSync(folder);
}

function receive(response: HttpResponse, name: string): void {
  const chunks: Buffer[] = [];
  response.onData((chunk, isLast) => {
    chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    keep(name, Buffer.concat(chunks));
    response.cork(() => response.writeStatus('201 Created').end());
  });
}

function answer(response: HttpResponse, request: HttpRequest): void {
  response.onAborted(() => undefined);
  const name = nameOf(request);
  if (request.getCaseSensitiveMethod() === 'PUT') receive(response, name);
  else response.end(readFileSync(name));
}

const port = Number(process.argv[2]);
uWS
  .App()
  .any('/*', answer)
  .listen('127.0.0.1', port, (socket) => {
    if (socket !== false && socket !== null) return;
    process.stderr.write(`cannot listen on port ${port}\n`);
    process.exit(1);
  });
