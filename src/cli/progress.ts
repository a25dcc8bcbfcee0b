// How far an import has come: a bar on a terminal, elsewhere a line of JSON each second at most. Both go to the error
// stream, so that the report alone is on the other.

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../resolvers/import/lines.js';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 1_000;

export interface ProgressDisplay {
  readonly step: (progress: Progress) => void;
  readonly stop: () => void;
}

/** Shows the progress of reading `files`, in bytes of all of them. */
export async function showProgress(files: readonly string[], { err }: Terminal): Promise<ProgressDisplay> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const readOf = new Map<string, number>();
  const read = () => [...readOf.values()].reduce((sum, bytes) => sum + bytes, 0);
  const display = err.isTTY ? bar(err, totalBytes) : lines(err, totalBytes);
  return {
    step: ({ file, readBytes }) => {
      readOf.set(file, readBytes);
      display.show(file, read());
    },
    stop: display.stop,
  };
}

function bar(err: NodeJS.WritableStream, totalBytes: number) {
  const display = new SingleBar(
    { stream: err, format: '{bar} {percentage} % | {file} | {eta_formatted} left', clearOnComplete: true },
    Presets.shades_classic,
  );
  display.start(totalBytes, 0, { file: '' });
  return {
    show: (file: string, readBytes: number) => display.update(readBytes, { file: basename(file) }),
    stop: () => {
      display.update(totalBytes);
      display.stop();
    },
  };
}

function lines(err: NodeJS.WritableStream, totalBytes: number) {
  let lastMs = performance.now();
  return {
    show: (file: string, readBytes: number) => {
      if (performance.now() - lastMs < LINE_EVERY_MS) return;
      lastMs = performance.now();
      err.write(`${JSON.stringify({ progress: { file, readBytes, totalBytes } })}\n`);
    },
    stop: () => {},
  };
}
