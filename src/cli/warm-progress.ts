// How many keys a command has been through: a bar on a terminal, elsewhere a line of JSON each second at most. Both go to
// the error stream, so that the report alone is on the other.

import { Presets, SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 1_000;

export interface KeyDisplay {
  readonly show: (keys: number) => void;
  readonly stop: () => void;
}

/** Shows the progress through about `total` keys. */
export function showKeys(total: number, { err }: Terminal): KeyDisplay {
  return err.isTTY ? bar(err, total) : lines(err, total);
}

function bar(err: NodeJS.WritableStream, total: number): KeyDisplay {
  const display = new SingleBar(
    {
      stream: err,
      format: '{bar} {percentage} % | {value} of {total} keys | {eta_formatted} left',
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  display.start(total, 0);
  return { show: (keys) => display.update(Math.min(keys, total)), stop: () => display.stop() };
}

function lines(err: NodeJS.WritableStream, total: number): KeyDisplay {
  let lastMs = performance.now();
  return {
    show: (keys) => {
      if (performance.now() - lastMs < LINE_EVERY_MS) return;
      lastMs = performance.now();
      err.write(`${JSON.stringify({ progress: { keys, total } })}\n`);
    },
    stop: () => {},
  };
}
