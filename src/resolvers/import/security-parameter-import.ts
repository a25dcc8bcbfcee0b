// Writes parameters from JSON documents: one for each file, in a transaction of its own, and a file imported twice changes
// nothing.

import { basename } from 'node:path';
import { type Db, insertChange, inTransaction, lockRoots, type Tx } from '../../db/index.js';
import { Invalid } from '../errors.js';
import { jsonFault } from '../json-limits.js';
import { parameterView, storeParameter } from '../security-parameter.js';
import { requireSecurityName } from '../security-record.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import type { Progress } from './lines.js';
import { requireReadable } from './readable.js';
import { readJsonFile } from './security-json.js';

export interface SecurityParameterImportOptions {
  /** Of the parameter, for one file; of several, what their parameters' names begin with: `tls/5.6` of `5.6.json`. */
  readonly name?: string | undefined;
  /** All checks, nothing written. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Makes each file a parameter, as `parameterNamesOf` names them. The report counts documents; one that the schema of the
 * standing parameter does not accept is refused.
 * @throws {ImportFailed} when a file cannot be read; {@link Invalid} when a name is none.
 */
export async function importParameters(
  db: Db,
  files: readonly string[],
  options: SecurityParameterImportOptions = {},
): Promise<ImportOutcome> {
  const names = parameterNamesOf(files, options.name);
  await requireReadable(files);
  const tally = new ImportTally();
  for (const [at, file] of files.entries()) {
    const read = await readJsonFile(file, options.onProgress);
    if (read.kind === 'refused') {
      tally.refuse({ file, line: read.line, reason: read.reason });
      continue;
    }
    const fault = read.json === null ? 'is null, which is no parameter' : jsonFault(read.json);
    if (fault !== undefined) {
      tally.refuse({ file, line: 0, reason: `The document ${fault}.` });
      continue;
    }
    try {
      if (await writeParameter(db, names[at] ?? '', read.json, options.dryRun ?? false)) tally.write();
      else tally.keep();
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      tally.refuse({ file, line: 0, reason: error.message });
    }
  }
  return tally.outcome();
}

/**
 * The parameters that files become: `name`; of several files, `name/` and the file's name without its endings; without a
 * name, that alone.
 * @throws {Invalid} when one is no name, or two files would be one parameter.
 */
export function parameterNamesOf(files: readonly string[], name?: string): readonly string[] {
  const names = files.map((file) => {
    const stem = basename(file)
      .replace(/\.gz$/i, '')
      .replace(/(?<=.)\.json$/i, '');
    return requireSecurityName(name === undefined ? stem : files.length === 1 ? name : `${name}/${stem}`);
  });
  const twice = names.find((each, at) => names.indexOf(each) !== at);
  if (twice === undefined) return names;
  throw new Invalid(`Two of the files would be parameter ${twice}, one replacing the other; import one of them.`);
}

/** Whether anything is other than before; after a dry run, whether it would be. */
async function writeParameter(db: Db, name: string, parameter: unknown, dryRun: boolean): Promise<boolean> {
  let isOther = false;
  const write = async (tx: Tx) => {
    await lockRoots(tx, [{ view: parameterView.name, key: name }]);
    const { before, schema, changed } = await storeParameter(tx, name, parameter, null);
    isOther = changed;
    if (dryRun) throw new DryRun();
    if (!changed) return;
    await insertChange(tx, {
      id: crypto.randomUUID(),
      actor: 'cli',
      action: 'importParameter',
      domain: 'SECURITY_VALUE',
      key: name,
      before: before ? { parameter: before.parameter, schema: before.schema } : null,
      after: { parameter, schema },
    });
  };
  try {
    await inTransaction(db, write);
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return isOther;
}

/** Rolls a transaction back that did what was to be found out. */
class DryRun extends Error {
  override readonly name = 'DryRun';
}
