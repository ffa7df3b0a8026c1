/**
 * The frame around several ranges in one answer (multipart/byteranges, RFC 9110 §14.6). It is computed before the first
 * byte is sent, because the answer announces its length.
 */

import { type ByteRange, contentRange, rangeLength } from './range.ts';

/** Text to send before the bytes of a range. All of it is ASCII: characters are bytes. */
export interface BodyPart {
  readonly head: string;
  readonly range: ByteRange;
}

export interface MultipartBody {
  /** Value of the answer's Content-Type. The answer itself carries no Content-Range. */
  readonly contentType: string;
  readonly parts: readonly BodyPart[];
  /** Text to send behind the last part. */
  readonly tail: string;
  /** Length of the whole body in bytes: heads, ranges and tail. */
  readonly length: number;
}

/**
 * Frames the given ranges of a representation of `size` bytes.
 * @param boundary 1 to 70 letters and digits that do not occur in the content: random ones.
 * @param type media type of the representation, in ASCII.
 */
export function frameRanges(boundary: string, type: string, ranges: readonly ByteRange[], size: number): MultipartBody {
  const tail = `\r\n--${boundary}--\r\n`;
  let length = tail.length;
  const parts = ranges.map((range, index): BodyPart => {
    const delimiter = index === 0 ? `--${boundary}` : `\r\n--${boundary}`;
    const head = `${delimiter}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    length += head.length + rangeLength(range);
    return { head, range };
  });
  return { contentType: `multipart/byteranges; boundary=${boundary}`, parts, tail, length };
}
