// Files that only their owner may read. Each appears whole or not at all, whatever is killed on the way.

import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hasCode } from './errors.js';

/** Creates `path` with `content` and mode 0600. Resolves to false, and changes nothing, when it exists already. */
export async function createPrivateFile(path: string, content: string): Promise<boolean> {
  const draft = await writeDraft(path, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Replaces `path` by `content`, mode 0600; readers see the old content or the new one. */
export async function replacePrivateFile(path: string, content: string): Promise<void> {
  await rename(await writeDraft(path, content), path);
}

/** The content of `path`, or undefined when there is no such file. */
export async function readFileIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function writeDraft(path: string, content: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  await writeFile(draft, content, { flag: 'wx', mode: 0o600 });
  return draft;
}
