/** What the log says about a refused signature: which field differs, and what to do about it. Never a MAC, never a secret. */

import type { SignatureHint } from '../../shared/signature.ts';
import type { LogFields } from './log-line.ts';

interface HintText {
  readonly differs: 'path' | 'type' | 'size' | 'scheme' | 'secret';
  readonly hint: string;
}

const TEXTS: Readonly<Record<SignatureHint, HintText>> = {
  'whole-path': { differs: 'path', hint: 'the path was signed with UploadSubDir in front: see SignedPath' },
  'relative-path': { differs: 'path', hint: 'the path was signed without UploadSubDir: see SignedPath' },
  slash: { differs: 'path', hint: 'the path was signed with a slash in front' },
  'encoded-path': { differs: 'path', hint: 'the path was signed percent-encoded' },
  path: { differs: 'path', hint: 'another path was signed' },
  'extension-type': { differs: 'type', hint: 'the type of the extension was signed: see TypeByExtension' },
  type: { differs: 'type', hint: 'another media type was signed than the client names' },
  size: { differs: 'size', hint: 'another size was signed than the client sends' },
  scheme: { differs: 'scheme', hint: 'right for another parameter (v, v2, token)' },
  'secret-space': { differs: 'secret', hint: 'one of the two secrets has white space at an end' },
  secret: { differs: 'secret', hint: 'all of it fits, but it was made with another secret' },
};

/** Nothing when it is not known. */
export function hintFields(hint: SignatureHint | null): LogFields {
  return hint === null ? { differs: undefined, hint: undefined } : { ...TEXTS[hint] };
}
