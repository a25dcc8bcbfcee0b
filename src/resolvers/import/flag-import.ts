// Writes flags from flagd's and Unleash's files into an environment: one transaction makes the flags exactly what the files say, and
// files imported twice change nothing. Flags that the files do not name stay as they are.

import {
  type Db,
  findEnvironment,
  findFlags,
  insertChanges,
  lockRoots,
  putEnvironment,
  putFlags,
  type Tx,
  withoutParameters,
} from '../../db/index.js';
import { requireEnvironmentKey } from '../flag-input.js';
import { flagImportRows } from './flag-audit.js';
import { type FlagFormat, type FlagFromFile, readFlagFile } from './flag-file.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import type { Progress } from './lines.js';
import { requireReadable } from './readable.js';

export interface FlagImportOptions {
  /** All checks, nothing written. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** One of `flagFormatNames`; left out, what each document is. */
  readonly format?: string | undefined;
}

const FORMATS: readonly FlagFormat[] = ['flagd', 'unleash'];
export const flagFormatNames: readonly string[] = FORMATS;

/**
 * Makes the flags of `environment` what `files` say, archived ones too; the report counts flags. A refused flag is left
 * out. An environment that does not exist is made, and is not public.
 * @throws {ImportFailed} when a file cannot be read; {@link Invalid} when the environment's key is none.
 */
export async function importFlags(
  db: Db,
  files: readonly string[],
  environment: string,
  { dryRun = false, onProgress, format: name }: FlagImportOptions = {},
): Promise<ImportOutcome> {
  requireEnvironmentKey(environment, ['environment']);
  await requireReadable(files);
  const tally = new ImportTally();
  const format = FORMATS.find((each) => each === name);
  const flags = new Map<string, FlagFromFile & { readonly file: string }>();
  for (const file of files) {
    for await (const record of readFlagFile(file, { format, onProgress })) {
      if (record.kind === 'broken') {
        tally.refuse({ file, line: record.line, reason: record.reason }, Math.max(1, record.flags));
      } else if (record.kind === 'refused') tally.refuse({ file, line: 0, reason: record.reason });
      else if (record.kind === 'note') tally.note({ file, line: 0, reason: record.reason });
      else {
        const { flag, notes } = record;
        const other = flags.get(flag.key)?.file;
        const reason = `The flag ${JSON.stringify(flag.key)} stands in ${other} already; leave it in one of the files.`;
        if (other !== undefined) tally.refuse({ file, line: 0, reason });
        else flags.set(flag.key, { ...flag, file });
        for (const note of notes) tally.note({ file, line: 0, reason: note });
      }
    }
  }
  if (flags.size > 0) {
    const { written, made } = await writeFlags(db, environment, [...flags.values()], dryRun);
    tally.write(written);
    tally.keep(flags.size - written);
    tally.changed ||= made;
  }
  return tally.outcome();
}

async function writeFlags(
  db: Db,
  environment: string,
  flags: readonly (FlagFromFile & { readonly file: string })[],
  dryRun: boolean,
): Promise<{ written: number; made: boolean }> {
  let outcome = { written: 0, made: false };
  const write = async (tx: Tx) => {
    await lockRoots(tx, [
      { view: 'environment', key: environment },
      ...flags.map(({ key }) => ({ view: 'flag', key: `${environment}/${key}` })),
      { view: 'flags', key: environment },
    ]);
    const made = (await findEnvironment(tx, environment)) === undefined;
    if (made) await putEnvironment(tx, environment, false);
    const keys = flags.map(({ key }) => key);
    const standing = await findFlags(tx, environment, keys);
    // A file that has no description does not take away the one that was given by hand.
    const wanted = flags.map(({ key, enabled, definition, description }) => ({
      key,
      enabled,
      definition,
      description: description ?? standing.get(key)?.description ?? null,
    }));
    const written = new Set(await putFlags(tx, environment, wanted));
    outcome = { written: written.size, made };
    if (dryRun) throw new DryRun();
    await insertChanges(tx, flagImportRows(environment, flags, written, made));
  };
  try {
    await db.transaction(write);
  } catch (error) {
    if (!(error instanceof DryRun)) throw withoutParameters(error);
  }
  return outcome;
}

/** Rolls a transaction back that did what was to be found out. */
class DryRun extends Error {
  override readonly name = 'DryRun';
}
