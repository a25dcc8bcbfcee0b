import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOfText, plainText, probeText, readText } from '../../src/resolvers/import/text-file.js';
import { collected } from './real-data.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'text-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Uint8Array): Promise<{ text: string; fault: string | undefined }> {
  const file = join(folder, 'file');
  await writeFile(file, bytes);
  const { encoding, fault } = await probeText(file);
  return { text: fault === undefined ? (await collected(readText(file, encoding))).join('') : '', fault };
}

const header = 'ENCODING:USASCII\nCHARSET:1252\n';

describe('text of unknown encoding', () => {
  it.each([
    ['UTF-8 under a header that says 1252', Buffer.from(`${header}Ação`, 'utf8'), `${header}Ação`],
    ['Latin-1 under the same header', Buffer.from(`${header}Ação`, 'latin1'), `${header}Ação`],
    ['Windows-1252 with its own signs', Buffer.from([0x80, 0x93, 0xe7]), '€“ç'],
    ['UTF-8 with a mark', Buffer.from('\uFEFFAção'), 'Ação'],
    ['UTF-16 with a mark', Buffer.from('\uFEFFAção', 'utf16le'), 'Ação'],
    ['UTF-16 without one', Buffer.from('OFX çã', 'utf16le'), 'OFX çã'],
    [
      'Latin-1 under XML that says UTF-8',
      Buffer.from('<?xml version="1.0" encoding="UTF-8"?>ç', 'latin1'),
      '<?xml version="1.0" encoding="UTF-8"?>ç',
    ],
    [
      'Latin-2 that XML declares',
      Buffer.from([...Buffer.from('<?xml encoding="iso-8859-2"?>'), 0xb1]),
      '<?xml encoding="iso-8859-2"?>ą',
    ],
    ['gzip', gzipSync('ç'), 'ç'],
  ])('reads %s', async (_, bytes, text) => {
    expect(await read(bytes)).toEqual({ text, fault: undefined });
  });

  it('refuses zero bytes, an empty file and a break in compressed data, each in a sentence', async () => {
    const zeros = await read(Buffer.from('a\0b'));
    const empty = await read(Buffer.alloc(0));
    const broken = await read(gzipSync('x'.repeat(1000)).subarray(0, 20));
    expect([zeros.fault, empty.fault, broken.fault]).toEqual([
      expect.stringContaining('zero bytes'),
      expect.stringContaining('empty'),
      expect.stringContaining('breaks off'),
    ]);
  });

  it('has lines ended in any way, wherever it is cut', async () => {
    const text = 'a\r\nb\rc\n\nd';
    for (let at = 0; at <= text.length; at++) {
      const lines = await collected(linesOfText([text.slice(0, at), text.slice(at)]));
      expect(lines.map(({ line, text }) => `${line}${text}`)).toEqual(['1a', '2b', '3c', '4', '5d']);
    }
    await expect(collected(linesOfText(['x'.repeat(70_000)]))).rejects.toThrow('longer than');
  });

  it('loses control characters and what is too long, never half a character', () => {
    expect(plainText(' a\r\n\tb\u0000 ', 500)).toBe('a b');
    expect(plainText('😀😀😀', 4)).toBe('😀…');
  });
});
