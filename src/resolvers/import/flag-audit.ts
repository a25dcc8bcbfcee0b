// The audit rows of an import of flags: one for each file of which something was written.
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { NewChange } from '../../db/index.js';

/** So many keys are named in a row. */
const NAMED_FLAGS = 20;

/** Rows for the flags that were written, filed under their environment; `made` says that it was made by the import. */
export function flagImportRows(
  environment: string,
  flags: readonly { readonly key: string; readonly file: string }[],
  written: ReadonlySet<string>,
  made: boolean,
): NewChange[] {
  const files = [...new Set(flags.map(({ file }) => file))];
  return files.flatMap((file) => {
    const keys = flags.filter((flag) => flag.file === file && written.has(flag.key)).map(({ key }) => key);
    if (keys.length === 0 && !made) return [];
    const after = { file: basename(file), flags: keys.length, first: keys.slice(0, NAMED_FLAGS), made };
    return [
      { id: randomUUID(), actor: 'cli', action: 'importFlags', domain: 'FLAG' as const, key: environment, after },
    ];
  });
}
