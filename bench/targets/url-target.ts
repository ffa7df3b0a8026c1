/**
 * A server that runs already, by URL: a prefix that ends in `/`, a template with `{path}` in it, or one fixed file. Nothing is
 * started or stopped; what the run uploaded is deleted only where the target offers deletion.
 */

import type { Deletion, Endpoint } from '../endpoint.ts';
import { processTree } from './process-usage.ts';
import { type SignatureForm, uploadTemplate } from './spawned-server.ts';
import { type RunningTarget, type Target, TargetError } from './target.ts';

export interface UrlTargetSettings {
  readonly url: string;
  readonly secret: string | null;
  readonly signatureForm: SignatureForm;
  readonly mediaType: string;
  readonly isUntrusted: boolean;
  readonly keepsUploads: boolean;
  readonly deletion: Deletion;
  /** Process of the server, when it runs on this machine. */
  readonly pid: number | null;
}

type Templates = Pick<Endpoint, 'writeTemplate' | 'readTemplate' | 'objects'>;

/** The three forms of a URL behind its origin. */
function templates(target: string, form: SignatureForm): Templates {
  if (target.includes('{path}')) {
    return { writeTemplate: target, readTemplate: target.replace(/\?.*$/s, ''), objects: 'uploaded' };
  }
  if (target.endsWith('/')) {
    return { writeTemplate: uploadTemplate(target, form), readTemplate: `${target}{path}`, objects: 'uploaded' };
  }
  return { writeTemplate: target, readTemplate: target, objects: 'fixed' };
}

/** Where a URL leads. Throws `TargetError` when it is none, or needs a secret that is missing. */
export function urlEndpoint(settings: UrlTargetSettings): Endpoint {
  const [, scheme, authority, target] = /^(https?):\/\/([^/?#]+)(\/[^#\s]*)?$/i.exec(settings.url) ?? [];
  if (scheme === undefined || authority === undefined) throw new TargetError(`not an http(s) URL: ${settings.url}`);
  const isTls = scheme.toLowerCase() === 'https';
  const [, host, port] = /^(?:\[([0-9a-f:]+)\]|[^:]+)(?::(\d+))?$/i.exec(authority) ?? [];
  const form = settings.secret === null ? 'none' : settings.signatureForm;
  const found = templates(target ?? '/', form);
  if (/\{v2?\}/.test(found.writeTemplate) && settings.secret === null) {
    throw new TargetError(`${settings.url} needs a secret: --secret or BENCH_SECRET`);
  }
  return {
    ...found,
    host: host ?? authority.replace(/:\d+$/, ''),
    port: port === undefined ? (isTls ? 443 : 80) : Number(port),
    isTls,
    isUntrusted: settings.isUntrusted,
    authority,
    secret: settings.secret,
    mediaType: settings.mediaType,
    keepsUploads: settings.keepsUploads && found.objects === 'uploaded',
    deletion: settings.deletion,
  };
}

export class UrlTarget implements Target {
  readonly name: string;
  readonly isOurs = false;
  private readonly settings: UrlTargetSettings;
  private readonly endpoint: Endpoint;

  constructor(settings: UrlTargetSettings) {
    this.endpoint = urlEndpoint(settings);
    this.settings = settings;
    this.name = settings.url.replace(/\{v2?\}/g, '…');
  }

  async start(): Promise<RunningTarget> {
    const { pid, url } = this.settings;
    return {
      endpoint: this.endpoint,
      description: url,
      pids: () => (pid === null ? [] : processTree(pid)),
      stop: async () => undefined,
    };
  }
}
