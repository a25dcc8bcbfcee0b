// Makes sure before anything is written that every file of an import can be read.

import { open } from 'node:fs/promises';
import { ImportFailed } from './errors.js';

/** @throws {ImportFailed} naming every file that is missing, a folder, or closed to us. */
export async function requireReadable(files: readonly string[]): Promise<void> {
  const faults = (await Promise.all(files.map(faultOf))).flatMap((fault) => fault ?? []);
  if (faults.length > 0) throw new ImportFailed(`${faults.join(' ')} Nothing was imported.`);
  if (files.length === 0) throw new ImportFailed('No file was named; name one or more to import.');
}

async function faultOf(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      return (await handle.stat()).isDirectory() ? `${file} is a folder; name the files in it.` : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const faults = new Map([
      ['ENOENT', `${file} does not exist; check the path.`],
      ['EACCES', `${file} may not be read by this user; change its permissions.`],
    ]);
    return faults.get(code) ?? `${file} cannot be opened (${code}).`;
  }
}
