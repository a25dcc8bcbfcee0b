// What can be a member of a list, and how it is kept: a text as it is, an address or network in its one written form.
import type { ListKind } from '../db/index.js';
import { parseNetwork, writtenNetwork } from './security-address.js';

const MAX_MEMBER_LENGTH = 1_000;
/** Postgres indexes no more than 2,704 bytes, name included. */
const MAX_MEMBER_BYTES = 2_000;

/** Why `member` can be in no list, as a sentence that does not repeat it; undefined when it can. */
export function memberFault(member: string): string | undefined {
  if (member === '') return 'A member has at least one character.';
  if (member.length > MAX_MEMBER_LENGTH || Buffer.byteLength(member) > MAX_MEMBER_BYTES) {
    return `A member has at most ${MAX_MEMBER_LENGTH} characters and ${MAX_MEMBER_BYTES} bytes in UTF-8.`;
  }
  if (member.includes('\0') || /\p{Surrogate}/u.test(member)) return 'A member has no NUL and no half of a character.';
  return undefined;
}

/** `text` as a list of this kind keeps it, or why it cannot. */
export function keptMember(
  text: string,
  kind: ListKind,
): { readonly member: string; readonly fault?: never } | { readonly member?: never; readonly fault: string } {
  const fault = memberFault(text);
  if (fault !== undefined) return { fault };
  if (kind === 'TEXT') return { member: text };
  const network = parseNetwork(text);
  return network
    ? { member: writtenNetwork(network) }
    : {
        fault:
          'This is neither an IP address nor a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32; behind its length a network has no bits.',
      };
}

/** What a new list of these members is, unless somebody says otherwise. */
export const kindOf = (members: readonly string[]): ListKind =>
  members.every((member) => parseNetwork(member) !== undefined) ? 'ADDRESS' : 'TEXT';
