/** From the names of the command line to targets. */

import { dirname, join, resolve } from 'node:path';
import type { TargetOptions } from '../bench-options.ts';
import type { Leftovers } from '../leftovers.ts';
import { NginxTarget } from './nginx.ts';
import { SinkTarget } from './sink-target.ts';
import { SpawnedServer } from './spawned-server.ts';
import { type Target, TargetError } from './target.ts';
import { UrlTarget } from './url-target.ts';

/** The folder with the compiled sources that this file belongs to. */
const ownDist = dirname(dirname(import.meta.dirname));

/** A build of this server as a target. */
export function serverTarget(name: string, distFolder: string, options: TargetOptions, leftovers: Leftovers): Target {
  const { durability, signatureForm } = options;
  return new SpawnedServer({ name, distFolder, durability, signatureForm, leftovers });
}

/** `server`, `server:DIR` (a checkout that is built), `nginx`, `sink`, or a URL. */
export function chooseTarget(text: string, options: TargetOptions, leftovers: Leftovers): Target {
  if (text === 'server') return serverTarget(text, ownDist, options, leftovers);
  if (text.startsWith('server:')) {
    const checkout = text.slice('server:'.length);
    return serverTarget(text, join(resolve(checkout), 'dist'), options, leftovers);
  }
  if (text === 'nginx') return new NginxTarget(leftovers);
  if (text === 'sink') return new SinkTarget(leftovers);
  if (/^https?:\/\//i.test(text)) {
    return new UrlTarget({ ...options, url: text, keepsUploads: options.readsBack });
  }
  throw new TargetError(`unknown target "${text}": server, server:DIR, nginx, sink or a URL`);
}
