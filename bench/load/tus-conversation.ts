/** Resumable uploads as a tus 1.0 client makes them: creation at the signed URL, then PATCH after PATCH at the offset reached. */

import { writeTarget } from '../endpoint.ts';
import type { Conversation, UploadSeries } from './conversation.ts';
import type { OutgoingRequest } from './exchange.ts';
import type { Quota } from './quota.ts';
import type { NumberedFile, RequestFactory } from './requests.ts';
import { fieldOf, type ResponseHead } from './response-parser.ts';

interface UploadUnderWay {
  readonly number: number;
  readonly file: NumberedFile;
  /** Request target of the upload resource; null until the creation is answered. */
  readonly target: string | null;
  readonly offset: number;
}

export class TusConversation implements Conversation {
  private readonly factory: RequestFactory;
  private readonly series: UploadSeries;
  private readonly quota: Quota;
  private readonly pieceBytes: number;
  private upload: UploadUnderWay | null = null;

  constructor(settings: {
    readonly factory: RequestFactory;
    readonly series: UploadSeries;
    readonly quota: Quota;
    readonly pieceBytes: number;
  }) {
    this.factory = settings.factory;
    this.series = settings.series;
    this.quota = settings.quota;
    this.pieceBytes = settings.pieceBytes;
  }

  next(previous: ResponseHead | null): OutgoingRequest | null {
    const upload = previous === null ? null : this.advance(previous);
    if (upload === null) return this.create();
    return this.patch(upload);
  }

  /** Moves the upload on by the answer; null when it is complete or cannot go on. */
  private advance(previous: ResponseHead): UploadUnderWay | null {
    const upload = this.upload;
    if (upload === null) return null;
    const target = upload.target ?? locationTarget(previous);
    const offset = upload.target === null ? 0 : upload.offset + this.pieceLength(upload);
    if (target === null) return null;
    if (offset >= upload.file.size) {
      this.series.stored(upload.number);
      return null;
    }
    this.upload = { ...upload, target, offset };
    return this.upload;
  }

  private pieceLength(upload: UploadUnderWay): number {
    return Math.min(this.pieceBytes, upload.file.size - upload.offset);
  }

  /** tus 1.0, Creation: POST with Upload-Length, answered 201 with Location. */
  private create(): OutgoingRequest | null {
    const number = this.series.begin();
    const file = this.series.file(number);
    this.upload = null;
    if (!this.quota.take(file.size)) return null;
    this.upload = { number, file, target: null, offset: 0 };
    const { endpoint } = this.factory;
    const metadata = `Upload-Metadata: filetype ${Buffer.from(endpoint.mediaType).toString('base64')}\r\n`;
    const fields = `Tus-Resumable: 1.0.0\r\nUpload-Length: ${file.size}\r\n${metadata}Content-Length: 0\r\n`;
    return {
      head: this.factory.head('POST', writeTarget(endpoint, file.path, file.size), fields),
      isHeadOnly: false,
      body: null,
      expectedStatus: 201,
      expectedContent: null,
      checkHead: (head) => (locationTarget(head) === null ? 'no Location' : null),
    };
  }

  /** tus 1.0, PATCH: answered 204 with the new Upload-Offset. */
  private patch(upload: UploadUnderWay): OutgoingRequest {
    const lengthBytes = this.pieceLength(upload);
    const fields =
      `Tus-Resumable: 1.0.0\r\nUpload-Offset: ${upload.offset}\r\n` +
      `Content-Type: application/offset+octet-stream\r\nContent-Length: ${lengthBytes}\r\n`;
    const reached = String(upload.offset + lengthBytes);
    return {
      head: this.factory.head('PATCH', upload.target ?? '/', fields),
      isHeadOnly: false,
      body: { phase: upload.file.phase, offset: upload.offset, lengthBytes },
      expectedStatus: 204,
      expectedContent: null,
      checkHead: (head) => (fieldOf(head, 'upload-offset') === reached ? null : 'wrong Upload-Offset'),
    };
  }
}

/** The request target in a Location field, absolute or relative to the root; null when there is none. */
function locationTarget(head: ResponseHead): string | null {
  const location = fieldOf(head, 'location');
  if (location === null) return null;
  return /^(?:https?:\/\/[^/]+)?(\/\S*)$/i.exec(location)?.[1] ?? null;
}
