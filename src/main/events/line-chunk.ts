/**
 * A run of whole log lines, kept as bytes outside the heap, on its way to a target that may take only a part of it at a
 * time.
 */

const LINE_FEED = 0x0a;

export class LineChunk {
  private readonly bytes: Buffer;
  /** Lines fill the bytes up to here. */
  private end = 0;
  /** Bytes up to here are written. */
  private offset = 0;

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafe(capacityBytes);
  }

  get capacityBytes(): number {
    return this.bytes.length;
  }

  /** What is not written yet. */
  get rest(): Buffer {
    return this.bytes.subarray(this.offset, this.end);
  }

  get isWritten(): boolean {
    return this.offset >= this.end;
  }

  /** Lines of which no byte is written. */
  get wholeLines(): number {
    let lines = 0;
    const whole = this.bytes.subarray(this.lineBoundary(), this.end);
    for (let at = whole.indexOf(LINE_FEED); at !== -1; at = whole.indexOf(LINE_FEED, at + 1)) lines += 1;
    return lines;
  }

  /** Takes a line of ASCII that ends in a line feed; false when it does not fit. */
  add(line: string): boolean {
    if (this.end + line.length > this.bytes.length) return false;
    this.bytes.write(line, this.end, 'latin1');
    this.end += line.length;
    return true;
  }

  advance(writtenBytes: number): void {
    this.offset += writtenBytes;
  }

  /** Back to the beginning of a line that is written in part: the target was exchanged under it. */
  rewindToLine(): void {
    if (this.offset > 0) this.offset = this.bytes.lastIndexOf(LINE_FEED, this.offset - 1) + 1;
  }

  /** Gives up every line but the one that is written in part, which would otherwise run into the next; returns how many. */
  dropWholeLines(): number {
    const dropped = this.wholeLines;
    this.end = this.lineBoundary();
    return dropped;
  }

  /** Empties it for the next lines. */
  clear(): void {
    this.end = 0;
    this.offset = 0;
  }

  /** Where the first line begins of which no byte is written. */
  private lineBoundary(): number {
    if (this.offset === 0 || this.bytes[this.offset - 1] === LINE_FEED) return this.offset;
    return this.bytes.indexOf(LINE_FEED, this.offset) + 1;
  }
}
