/** `sign`: prints the URL of an upload or a deletion, made with the secret of the configuration. A secret is never an argument. */

import { extensionOf, type FileKey } from '../../shared/files.ts';
import { signedTypesOf } from '../auth/extension-types.ts';
import type { Config, UnresolvedConfig } from '../config/config.ts';
import { readGeneratedSecret, SecretFileError } from '../config/secret-file.ts';
import { parseOrigin } from '../config/url-path.ts';
import { type Command, type CommandInput, type CommandIo, configOption, exitStatus, UsageError } from './command.ts';
import { readCommandConfig } from './command-config.ts';
import { readOrder, type SignOrder, signProtocols } from './sign-order.ts';
import { createSlotToken } from './slot-token.ts';
import { createDeleteUrl, createFileUrl, createSlotUrl, localOrigin } from './slot-url.ts';

const OCTET_STREAM = 'application/octet-stream';

function readOrigin(text: string | undefined, config: UnresolvedConfig): string {
  if (text !== undefined) {
    const origin = parseOrigin(text);
    if (origin.ok && origin.value !== null) return origin.value;
    throw new UsageError(`--origin ${origin.ok ? 'is empty' : origin.message}`);
  }
  const origin = config.publicOrigin ?? localOrigin(config.listen, config.tls !== null);
  if (origin === null) throw new UsageError('ListenPort is not an address of its own; give --origin URL');
  return origin;
}

/** Says what else the server would refuse; the signature itself is right. */
function warn(config: UnresolvedConfig, key: FileKey, size: string, { stderr }: CommandIo): void {
  const extension = extensionOf(key) ?? '';
  if (config.allowedExtensions !== null && !config.allowedExtensions.has(extension)) {
    stderr.write('warning: AllowedExtensions does not have this extension; the upload will be answered 403\n');
  }
  if (config.maxUploadBytes !== null && BigInt(size) > BigInt(config.maxUploadBytes)) {
    stderr.write('warning: SIZE is above MaxUploadSize; the upload will be answered 413\n');
  }
}

function withSecret(config: UnresolvedConfig): Config | null {
  const secret = config.secret ?? readGeneratedSecret(config.storeDir);
  return secret === null ? null : { ...config, secret };
}

/** Without a header, or with any other, the server tries the type of the extension, unless that is switched off. */
function defaultType(config: UnresolvedConfig, key: FileKey): string {
  const [byExtension = OCTET_STREAM] = signedTypesOf(extensionOf(key));
  return config.typeByExtension ? byExtension : OCTET_STREAM;
}

/** What the server would refuse as a whole. */
function refuseWhatIsOff(config: UnresolvedConfig, order: SignOrder): void {
  if (order.kind === 'url' && order.protocol === 'v3' && !config.acceptV3) {
    throw new UsageError('AcceptV3 = false: the server refuses v3 URLs');
  }
  if (order.kind === 'deletion' && config.deleteSecret === null) {
    throw new UsageError('DeleteSecret is not set: the server refuses deletions');
  }
}

/** The lines to print: a URL, and for a token the field that goes with it. */
function linesOf(order: SignOrder, { origin, config, nowMs }: SignContext): readonly string[] {
  const { key } = order;
  if (order.kind === 'deletion') {
    return [createDeleteUrl({ origin, config, key, deleteSecret: config.deleteSecret ?? '' })];
  }
  const type = order.type ?? defaultType(config, key);
  if (order.kind === 'url') return [createSlotUrl({ origin, config, ...order, type })];
  const issuedAtSeconds = Math.floor(nowMs / 1_000);
  const token = createSlotToken({ secret: config.secret, issuedAtSeconds, ...order, type });
  return [createFileUrl({ origin, config, key }), `Authorization: Bearer ${token}`];
}

interface SignContext {
  readonly origin: string;
  readonly config: Config;
  readonly nowMs: number;
}

async function sign(input: CommandInput, io: CommandIo): Promise<number> {
  const order = readOrder(input, io.now());
  const loaded = readCommandConfig(input, io);
  if (loaded === null) return exitStatus.configuration;
  const origin = readOrigin(input.options.get('origin'), loaded);
  refuseWhatIsOff(loaded, order);
  try {
    const config = withSecret(loaded);
    if (config === null) {
      io.stderr.write('there is no secret yet: set Secret, or start the server once, which makes one\n');
      return exitStatus.failure;
    }
    if (order.kind !== 'deletion') warn(config, order.key, order.sizeBytes, io);
    for (const line of linesOf(order, { origin, config, nowMs: io.now() })) io.stdout.write(`${line}\n`);
    return exitStatus.ok;
  } catch (error) {
    if (!(error instanceof SecretFileError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return exitStatus.configuration;
  }
}

export const signCommand: Command = {
  name: 'sign',
  arguments: ['PATH', '[SIZE]'],
  summary: 'prints the URL to which a file of SIZE bytes can be uploaded with PUT',
  details: `PATH is relative to UploadSubDir, as it is stored, not encoded. The secret is that of the
configuration.

  curl -T photo.jpg "$(hmac-file-server sign photo.jpg $(stat -c %s photo.jpg))"`,
  options: {
    type: { value: 'TYPE', help: 'media type that v2, token and jwt sign; default: that of the extension' },
    protocol: { value: 'NAME', choices: signProtocols, help: 'v, v2, token, v3 or jwt; default: v2' },
    expires: { value: 'WHEN', help: 'v3 and jwt: a duration such as 5m, or a unix time; default: 1h' },
    owner: { value: 'NAME', help: 'jwt only: whose file it is, for OwnerQuota' },
    'file-expires': { value: 'WHEN', help: 'jwt only: when the file expires; default: as FileTTL says' },
    delete: { value: null, help: 'print the URL that deletes PATH; needs DeleteSecret' },
    origin: { value: 'URL', help: 'scheme and host of the URL; default: PublicOrigin, or ListenPort' },
    config: configOption,
  },
  run: sign,
};
