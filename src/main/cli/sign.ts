/** `sign`: prints an upload URL, made with the secret of the configuration. A secret is never an argument. */

import type { FileKey } from '../../shared/files.ts';
import { signedTypesOf } from '../auth/extension-types.ts';
import { extensionOf } from '../auth/request-target.ts';
import type { Config, UnresolvedConfig } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { readGeneratedSecret, SecretFileError } from '../config/secret-file.ts';
import { parseOrigin } from '../config/url-path.ts';
import { type Command, type CommandInput, type CommandIo, configOption, exitStatus, UsageError } from './command.ts';
import { readCommandConfig } from './command-config.ts';
import { createSlotUrl, localOrigin, type SlotProtocol, slotProtocols } from './slot-url.ts';
import { readKey } from './stored-path.ts';

const DEFAULT_EXPIRES = '1h';
const OCTET_STREAM = 'application/octet-stream';

function readSize(size: string): string {
  if (/^(?:0|[1-9]\d{0,18})$/.test(size)) return size;
  throw new UsageError('SIZE is the number of bytes in digits, such as $(stat -c %s FILE)');
}

function readProtocol(text: string | undefined): SlotProtocol {
  if (text === undefined) return 'v2';
  const protocol = slotProtocols.find((candidate) => candidate === text);
  if (protocol === undefined) throw new UsageError(`--protocol is one of ${slotProtocols.join(', ')}`);
  return protocol;
}

/** Unix time, from such a time or from a duration that begins now. */
function readExpires(text: string | undefined, protocol: SlotProtocol, nowMs: number): number {
  if (text !== undefined && protocol !== 'v3') throw new UsageError('only URLs of --protocol v3 expire');
  const wanted = text ?? DEFAULT_EXPIRES;
  const nowSeconds = Math.floor(nowMs / 1_000);
  const duration = parseDuration(wanted);
  const expiresAt = /^\d{9,15}$/.test(wanted)
    ? Number(wanted)
    : nowSeconds + (duration.ok ? duration.value : Number.NaN);
  if (Number.isNaN(expiresAt)) throw new UsageError('--expires is a duration such as 5m, or a unix time in seconds');
  if (expiresAt <= nowSeconds) throw new UsageError('--expires is not in the future');
  return expiresAt;
}

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

async function sign(input: CommandInput, io: CommandIo): Promise<number> {
  const { options, positionals } = input;
  const [path = '', size = ''] = positionals;
  const key = readKey(path);
  const sizeBytes = readSize(size);
  const protocol = readProtocol(options.get('protocol'));
  const expiresAtSeconds = readExpires(options.get('expires'), protocol, io.now());
  const loaded = readCommandConfig(input, io);
  if (loaded === null) return exitStatus.configuration;
  const origin = readOrigin(options.get('origin'), loaded);
  if (protocol === 'v3' && !loaded.acceptV3) throw new UsageError('AcceptV3 = false: the server refuses v3 URLs');
  try {
    const config = withSecret(loaded);
    if (config === null) {
      io.stderr.write('there is no secret yet: set Secret, or start the server once, which makes one\n');
      return exitStatus.failure;
    }
    const type = options.get('type') ?? defaultType(config, key);
    warn(config, key, sizeBytes, io);
    io.stdout.write(`${createSlotUrl({ origin, config, key, sizeBytes, type, protocol, expiresAtSeconds })}\n`);
    return exitStatus.ok;
  } catch (error) {
    if (!(error instanceof SecretFileError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return exitStatus.configuration;
  }
}

export const signCommand: Command = {
  name: 'sign',
  arguments: ['PATH', 'SIZE'],
  summary: 'prints the URL to which a file of SIZE bytes can be uploaded with PUT',
  details: `PATH is relative to UploadSubDir, as it is stored, not encoded. The secret is that of the
configuration.

  curl -T photo.jpg "$(hmac-file-server sign photo.jpg $(stat -c %s photo.jpg))"`,
  options: {
    type: { value: 'TYPE', help: 'media type that v2 and token sign; default: that of the extension' },
    protocol: { value: 'NAME', choices: slotProtocols, help: 'v, v2, token or v3; default: v2' },
    expires: { value: 'WHEN', help: 'v3 only: a duration such as 5m, or a unix time; default: 1h' },
    origin: { value: 'URL', help: 'scheme and host of the URL; default: PublicOrigin, or ListenPort' },
    config: configOption,
  },
  run: sign,
};
