// Who the servers run as. Postgres refuses to run as root, so a start by root gives its servers to another user.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { EmbeddedUnavailable } from './errors.js';

export type ServerUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** Whether this process is root, whose servers must run as somebody else. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The user for the servers of a start by root: the owner of data that exist already, else postgres, else nobody.
 * @throws {EmbeddedUnavailable} when /etc/passwd knows none of them.
 */
export async function serverUser(owner: { uid: number; gid: number } | undefined): Promise<ServerUser> {
  const known = await knownUsers();
  if (owner) return { name: known.find(({ uid }) => uid === owner.uid)?.name ?? `user ${owner.uid}`, ...owner };
  const user = known.find(({ name }) => name === 'postgres') ?? known.find(({ name }) => name === 'nobody');
  if (user) return user;
  throw new EmbeddedUnavailable(
    'Postgres refuses to run as root, and there is no user postgres or nobody to run it as.',
  );
}

/** Whether `user` (undefined: this process itself) may enter `folder`. Asked of the system, so ACLs count. */
export function mayEnter(user: ServerUser | undefined, folder: string): boolean {
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', stdio: 'ignore', ...identity });
  return status === 0;
}

async function knownUsers(): Promise<ServerUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && /^[1-9]\d*$/.test(uid ?? '') && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
