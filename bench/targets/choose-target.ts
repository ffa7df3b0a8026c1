/** From the names of the command line to targets. */

import { dirname, join, resolve } from 'node:path';
import type { TargetOptions } from '../bench-options.ts';
import type { Leftovers } from '../leftovers.ts';
import { NginxTarget, parseNginxDirectives } from './nginx.ts';
import { isProgramName, OwnProgram } from './own-program.ts';
import { parseServerSettings, type ServerSettings } from './server-settings.ts';
import { SpawnedServer } from './spawned-server.ts';
import { type Target, TargetError } from './target.ts';
import { UrlTarget } from './url-target.ts';

/** The folder with the compiled sources that this file belongs to. */
const ownDist = dirname(dirname(import.meta.dirname));

/** A build of this server. */
export interface ServerBuild {
  readonly name: string;
  readonly distFolder: string;
  readonly settings: ServerSettings;
}

/** A build of this server as a target. */
export function serverTarget(build: ServerBuild, options: TargetOptions, leftovers: Leftovers): Target {
  const { durability, signatureForm } = options;
  return new SpawnedServer({ ...build, durability, signatureForm, leftovers });
}

/**
 * `server`, `server:DIR` (a checkout that is built), either with `?Key=value&…`; `nginx`, also with `?directive=value&…`;
 * `sink`, `one-by-one`, or a URL.
 */
export function chooseTarget(text: string, options: TargetOptions, leftovers: Leftovers): Target {
  const [, checkout, query] = /^server(?::([^?]+))?(?:\?(.+))?$/s.exec(text) ?? [];
  if (/^server(?:$|[:?])/.test(text)) {
    const distFolder = checkout === undefined ? ownDist : join(resolve(checkout), 'dist');
    const settings = query === undefined ? new Map<string, string>() : parseServerSettings(query);
    return serverTarget({ name: text, distFolder, settings }, options, leftovers);
  }
  if (/^nginx(?:$|\?)/.test(text)) {
    const directives = text === 'nginx' ? new Map<string, string>() : parseNginxDirectives(text.slice('nginx?'.length));
    return new NginxTarget(text, directives, leftovers);
  }
  if (isProgramName(text)) return new OwnProgram(text, leftovers);
  if (/^https?:\/\//i.test(text)) {
    return new UrlTarget({ ...options, url: text, keepsUploads: options.readsBack });
  }
  throw new TargetError(
    `unknown target "${text}": server, server:DIR, server?Key=value, nginx, nginx?directive=value, sink, one-by-one or a URL`,
  );
}
