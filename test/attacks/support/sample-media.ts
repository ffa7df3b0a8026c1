/** Small files that a browser shows and plays, made here. */

/** An image of so many pixels in each direction (BMP, 24 bits, one colour). */
export function bitmap(pixels: number): Buffer<ArrayBuffer> {
  const rowBytes = Math.ceil((pixels * 3) / 4) * 4;
  const head = Buffer.alloc(54);
  head.write('BM', 0, 'latin1');
  head.writeUInt32LE(head.length + rowBytes * pixels, 2);
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(pixels, 18);
  head.writeInt32LE(pixels, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([head, Buffer.alloc(rowBytes * pixels, 0x80)]);
}

const SAMPLES_PER_SECOND = 8_000;

/** Silence of so many seconds (WAV, 16 bits, mono): long enough to be fetched in parts. */
export function silence(seconds: number): Buffer<ArrayBuffer> {
  const samples = Buffer.alloc(seconds * SAMPLES_PER_SECOND * 2);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  head.writeUInt32LE(SAMPLES_PER_SECOND * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
