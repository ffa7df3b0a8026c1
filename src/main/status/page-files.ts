/**
 * The files of the status page, read once at the start: our own, and uPlot as npm installed it. With `config/` and the
 * log the only place on the main thread that reads files, and only before a port is open.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
}

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** Ours are not compiled: they lie in the source folder, seen from `dist/src/main/status`. */
const PAGE_FOLDER = new URL('../../../../src/main/status/page/', import.meta.url);

/** Every file by its path on the operator's port. Throws the system's error when the installation is incomplete. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const own = (name: string): string => fileURLToPath(new URL(name, PAGE_FOLDER));
  const uplot = (name: string): string => fileURLToPath(import.meta.resolve(`uplot/dist/${name}`));
  const files: readonly (readonly [path: string, file: string, type: string])[] = [
    ['/status', own('status.html'), HTML],
    ['/status/status.css', own('status.css'), STYLE],
    ['/status/status.js', own('status.js'), SCRIPT],
    ['/status/plot.js', own('plot.js'), SCRIPT],
    ['/status/format.js', own('format.js'), SCRIPT],
    ['/status/uplot.js', uplot('uPlot.esm.js'), SCRIPT],
    ['/status/uplot.css', uplot('uPlot.min.css'), STYLE],
  ];
  return new Map(files.map(([path, file, type]) => [path, { type, body: readFileSync(file) }]));
}
