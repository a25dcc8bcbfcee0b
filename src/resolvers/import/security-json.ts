// Reads a file as one JSON document, gzip or not, in bounded memory.

import { type Progress, type RefusedLine, readLines } from './lines.js';

export type JsonFile = { readonly kind: 'json'; readonly json: unknown } | RefusedLine;

/** The largest known list of hosts has 4 MB. */
const MAX_CHARACTERS = 64 * 1_024 * 1_024;

/** The document in `file`, or why there is none, with the line at fault. */
export async function readJsonFile(file: string, onProgress?: (progress: Progress) => void): Promise<JsonFile> {
  const lines: string[] = [];
  let characters = 0;
  for await (const line of readLines(file, { maxLineBytes: MAX_CHARACTERS, ...(onProgress && { onProgress }) })) {
    if (line.kind === 'refused') return line;
    characters += line.text.length + 1;
    if (characters > MAX_CHARACTERS) return refused(line.line, 'The file has more than 64 MiB; split it.');
    lines.push(line.text);
  }
  return parsedJson(lines.join('\n'));
}

function parsedJson(text: string): JsonFile {
  try {
    return { kind: 'json', json: JSON.parse(text) as unknown };
  } catch (error) {
    // The parser's own sentence would repeat a piece of the file.
    const [, position] = /position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const line = position === undefined ? 0 : text.slice(0, Number(position)).split('\n').length;
    return refused(line, 'The file is no JSON: the fault is here or just before.');
  }
}

const refused = (line: number, reason: string): RefusedLine => ({ kind: 'refused', line, reason });
