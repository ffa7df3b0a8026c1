/** Compares the body of a response with what it must be, while it arrives: every byte, not a sample. */

import type { ExpectedContent } from './exchange.ts';

export class ContentCheck {
  private readonly expected: ExpectedContent;
  private received = 0;
  private isRight = true;

  constructor(expected: ExpectedContent) {
    this.expected = expected;
  }

  take(bytes: Buffer): void {
    const { lengthBytes } = this.expected;
    if (this.isRight && (lengthBytes === null || this.received + bytes.length <= lengthBytes)) {
      this.isRight = this.expected.matches(this.received, bytes);
    }
    this.received += bytes.length;
  }

  /** The kind of error once the body is complete; null when it was right. */
  verdict(): string | null {
    const { lengthBytes } = this.expected;
    if (lengthBytes !== null && this.received !== lengthBytes) return 'wrong length';
    if (!this.isRight || this.expected.isWholeRight?.() === false) return 'wrong content';
    return null;
  }
}
