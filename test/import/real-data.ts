// Where the public data stands that imports are tested with. Without it those tests say that they skip; in CI they fail.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = resolve(root, process.env.ESPELHO_DATA_DIR ?? '../shared/data');

/** The path of a file of the public data, named from its folder on. */
export function realFile(name: string): string {
  return resolve(folder, name);
}

/** A `describe` over real files: skipped with a message when one of them is missing, failed instead when `CI` is `true`. */
export function describeReal(title: string, names: readonly string[], body: () => void): void {
  const missing = names.filter((name) => !existsSync(realFile(name)));
  if (missing.length === 0) describe(title, body);
  else {
    const message = `needs ${missing.join(', ')}: set ESPELHO_DATA_DIR to the folder of the public data`;
    describe(title, () => {
      if (process.env.CI === 'true') it(message, () => expect.fail(message));
      else it.skip(`skipped, ${message}`, () => {});
    });
  }
}

export async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}
