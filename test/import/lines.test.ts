import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Line, linesOf, type Progress, readLines } from '../../src/resolvers/import/lines.js';
import { collected } from './real-data.js';

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const linesOfBytes = (...chunks: Uint8Array[]): Promise<Line[]> => collected(linesOf(chunks));
const textOf = (line: Line): string => (line.kind === 'line' ? line.text : `refused ${line.line}: ${line.reason}`);

/** `bytes` cut at the given places, which may repeat and so give empty chunks. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

const places = fc.array(fc.nat({ max: 10_000 }), { maxLength: 20 });
const name = fc.string({ unit: fc.constantFrom('a', ';', ' ', '"', 'ç', 'ř', '漢', '😀', '\uFEFF'), maxLength: 12 });

describe('lines', () => {
  it('numbers lines from 1 and ends them at LF or CRLF', async () => {
    expect(await linesOfBytes(utf8('a\r\n\nb\n'))).toEqual([
      { kind: 'line', line: 1, text: 'a' },
      { kind: 'line', line: 2, text: '' },
      { kind: 'line', line: 3, text: 'b' },
    ]);
  });

  it('takes a last line without newline for a line', async () => {
    expect((await linesOfBytes(utf8('a\nb'))).map(textOf)).toEqual(['a', 'b']);
    expect(await linesOfBytes(utf8(''))).toEqual([]);
  });

  it('drops a byte order mark at the start only', async () => {
    expect((await linesOfBytes(utf8('\uFEFFa\n\uFEFFb'))).map(textOf)).toEqual(['a', '\uFEFFb']);
  });

  it('refuses malformed UTF-8 and zero bytes by line and reads on', async () => {
    const lines = await linesOfBytes(utf8('a\n'), Buffer.from([0x63, 0xe7, 0x0a]), utf8('x\0y\nç\n'));
    expect(lines.map((line) => line.kind)).toEqual(['line', 'refused', 'refused', 'line']);
    expect(lines[1]).toMatchObject({ line: 2, reason: expect.stringContaining('not valid UTF-8') });
    expect(lines[2]).toMatchObject({ line: 3, reason: expect.stringContaining('zero byte') });
  });

  it('refuses a line over 1 MiB, takes one of exactly 1 MiB, and reads on', async () => {
    const full = 'x'.repeat(2 ** 20);
    const lines = await linesOfBytes(utf8(`\uFEFF${full}\r\n${full}x\r\nc`));
    expect(lines.map((line) => line.kind)).toEqual(['line', 'refused', 'line']);
    expect(lines[1]).toMatchObject({ line: 2, reason: expect.stringContaining('longer than 1048576 bytes') });
  });

  it('holds no more of an endless line than its limit', async () => {
    const chunk = Buffer.alloc(2 ** 20, 'x');
    function* endless(): Generator<Uint8Array> {
      for (let count = 0; count < 512; count++) yield chunk;
      yield utf8('\nlast');
    }
    const before = process.memoryUsage().arrayBuffers;
    const lines = await collected(linesOf(endless()));
    expect(lines.map((line) => line.kind)).toEqual(['refused', 'line']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });

  it('gives the same lines wherever the stream is cut, inside characters and gzip marks too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.constantFrom('\n', '\r\n')), { maxLength: 12 }),
        name,
        places,
        fc.boolean(),
        async (rows, last, cuts, compressed) => {
          const text = `${rows.map(([row, end]) => row + end).join('')}${last}`;
          fc.pre(text !== '\uFEFF'); // to us one empty line, to the split below none
          const expected = text.replace(/^\uFEFF/, '').split(/\r?\n/);
          if (last === '') expected.pop();
          const bytes = compressed ? gzipSync(utf8(text)) : utf8(text);
          const lines = await linesOfBytes(...cut(bytes, cuts));
          expect(lines.map(textOf)).toEqual(expected);
          expect(lines.map((line) => line.line)).toEqual(lines.map((_, at) => at + 1));
        },
      ),
    );
  });

  it('judges arbitrary bytes the same wherever the stream is cut', async () => {
    const bytes = fc.array(fc.constantFrom(0x0a, 0x0d, 0x61, 0xc3, 0xa7, 0xef, 0xbb, 0xbf, 0x00), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(bytes, places, async (values, cuts) => {
        const whole = Uint8Array.from(values);
        const options = { maxLineBytes: 5 };
        expect(await collected(linesOf(cut(whole, cuts), options))).toEqual(await collected(linesOf([whole], options)));
      }),
    );
  });

  it('keeps what comes before a break in compressed data and refuses the line of the break', async () => {
    const text = Array.from({ length: 5000 }, (_, at) => `line ${at} ${Math.sin(at)}\n`).join('');
    const whole = gzipSync(text);
    const lines = await linesOfBytes(whole.subarray(0, whole.length / 2));
    const last = lines.at(-1);
    expect(last).toMatchObject({ kind: 'refused', line: lines.length, reason: expect.stringContaining('breaks off') });
    expect(lines.length).toBeGreaterThan(2000);
    expect(text.startsWith(`${lines.slice(0, -1).map(textOf).join('\n')}\n`)).toBe(true);
  });

  it('reads compressed files of several members as one', async () => {
    expect((await linesOfBytes(gzipSync('a\nb'), gzipSync('c\n'))).map(textOf)).toEqual(['a', 'bc']);
  });

  describe('of a file', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lines-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('are gunzipped by content, whatever the name, with progress in bytes on disk', async () => {
      const file = join(folder, 'plain.txt');
      const bytes = gzipSync('a\nb\n');
      await writeFile(file, bytes);
      const progress: Progress[] = [];
      const lines = await collected(readLines(file, { onProgress: (step) => progress.push(step) }));
      expect(lines.map(textOf)).toEqual(['a', 'b']);
      expect(progress.at(-1)).toEqual({ file, readBytes: bytes.length, totalBytes: bytes.length });
    });

    it('are one refused line 0 when it cannot be opened', async () => {
      expect(await collected(readLines(join(folder, 'missing')))).toEqual([
        {
          kind: 'refused',
          line: 0,
          reason: 'The file cannot be read (ENOENT); check its path and permissions.',
          breaksOff: true,
        },
      ]);
      expect(await collected(readLines(folder))).toMatchObject([{ kind: 'refused', line: 0 }]);
    });

    it('may be left before the end, which closes the file', async () => {
      const file = join(folder, 'long.txt.gz');
      await writeFile(file, gzipSync('line\n'.repeat(1_000_000)));
      for await (const { line } of readLines(file)) if (line === 10) break;
      const busy = () => process.getActiveResourcesInfo().filter((resource) => /FS|Zlib/i.test(resource));
      await vi.waitFor(() => expect(busy()).toEqual([]), { timeout: 30_000 });
    });
  });
});
