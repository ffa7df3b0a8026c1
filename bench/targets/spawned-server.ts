/** HMAC File Server as a target: a build of it, started with a configuration of its own and an empty store. */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Durability } from '../../src/shared/files.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Leftovers } from '../leftovers.ts';
import { ChildServer, findFreePort } from './child-server.ts';
import { readLaunch } from './launch.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';
import { renderServerSettings, type ServerSettings } from './server-settings.ts';
import { type RunningTarget, type Target, TargetError } from './target.ts';

/** How slot URLs are signed. */
export type SignatureForm = 'v' | 'v2' | 'none';

const BASE = 'files';
/** The executable, and what older revisions have instead. */
const ENTRIES = ['src/main/entry.cjs', 'src/main/index.js'];

/** The upload template of a form behind a prefix that ends in `/`. */
export function uploadTemplate(prefix: string, form: SignatureForm): string {
  return form === 'none' ? `${prefix}{path}` : `${prefix}{path}?${form}={${form}}`;
}

export interface SpawnedServerSettings {
  readonly name: string;
  /** The folder with the compiled sources, that holds `src/main`. */
  readonly distFolder: string;
  readonly durability: Durability;
  /** What the server is to be set to besides. */
  readonly settings: ServerSettings;
  readonly signatureForm: SignatureForm;
  readonly leftovers: Leftovers;
}

/** Without the settings of this shell, which would beat the configuration. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HMAC_FILE_SERVER_')));
}

function configuration(settings: SpawnedServerSettings, port: number, storeDir: string, secret: string): string {
  const own = new Map([
    ['ListenPort', JSON.stringify(`127.0.0.1:${port}`)],
    ['UploadSubDir', JSON.stringify(BASE)],
    ['StoreDir', JSON.stringify(storeDir)],
    ['Secret', JSON.stringify(secret)],
    ['Durability', JSON.stringify(settings.durability)],
    ['LogLevel', '"error"'],
    ['MetricsEnabled', 'false'],
  ]);
  return renderServerSettings(own, settings.settings);
}

export class SpawnedServer implements Target {
  readonly name: string;
  readonly isOurs = true;
  private readonly settings: SpawnedServerSettings;

  constructor(settings: SpawnedServerSettings) {
    this.name = settings.name;
    this.settings = settings;
  }

  async start(folder: string): Promise<RunningTarget> {
    const { distFolder, durability, signatureForm, leftovers } = this.settings;
    const entry = ENTRIES.map((file) => join(distFolder, file)).find((file) => existsSync(file));
    if (entry === undefined) throw new TargetError(`no server in ${distFolder}: build it first (npm run build)`);
    const port = await findFreePort();
    const secret = randomBytes(24).toString('hex');
    const storeDir = join(folder, 'store');
    mkdirSync(storeDir);
    const file = join(folder, 'config.toml');
    writeFileSync(file, configuration(this.settings, port, storeDir, secret), { mode: 0o600 });
    const { environment, nodeOptions } = readLaunch(entry);
    const server = new ChildServer({
      command: process.execPath,
      args: [...nodeOptions, entry, 'serve', '--config', file],
      cwd: folder,
      environment: { ...inheritedEnvironment(), ...environment },
      leftovers,
    });
    await server.ready(port);
    const particular: Pick<Endpoint, 'writeTemplate' | 'readTemplate' | 'secret'> = {
      writeTemplate: uploadTemplate(`/${BASE}/`, signatureForm),
      readTemplate: `/${BASE}/{path}`,
      secret,
    };
    return {
      endpoint: loopbackEndpoint(port, particular),
      description: `HMAC File Server, ${described(durability, this.settings.settings)}, signed with ${signatureForm}`,
      pids: () => server.pids(),
      stop: () => server.stop(),
    };
  }
}

function described(durability: Durability, settings: ServerSettings): string {
  return renderServerSettings(new Map([['Durability', JSON.stringify(durability)]]), settings)
    .trimEnd()
    .replaceAll('\n', ', ');
}
