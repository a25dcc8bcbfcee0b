// IP addresses and networks in one written form each: equal networks are equal strings, and the networks that hold an
// address are found by its prefixes.
import { isIPv4, isIPv6 } from 'node:net';

/** A network, or a single address as a network of full length. */
export interface Network {
  readonly family: Family;
  /** The address in groups, the first bits first: 4 of 8 bits, or 8 of 16. */
  readonly groups: readonly number[];
  /** Bits that all its addresses share. */
  readonly length: number;
}

export type Family = 4 | 6;

/** The lengths of networks in question, by family. */
export type Lengths = Readonly<Record<Family, readonly number[]>>;

const FULL = { 4: 32, 6: 128 } as const;
const upTo = (length: number): number[] => Array.from({ length: length + 1 }, (_, at) => at);

export const ALL_LENGTHS: Lengths = { 4: upTo(FULL[4]), 6: upTo(FULL[6]) };

/**
 * The address or network (CIDR) that `text` says; undefined where it says none. IPv4 in the form of IPv6
 * (`::ffff:192.0.2.1`) is IPv4. Not taken: zones, leading zeros, and bits behind a network's length.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits))) return undefined;
  const family = familyOf(address);
  if (!family) return undefined;
  const length = bits === undefined ? FULL[family] : Number(bits);
  if (length > FULL[family]) return undefined;
  const groups = family === 4 ? address.split('.').map(Number) : groupsOf(address);
  if (maskedBits(groups, family, length).some((group, at) => group !== groups[at])) return undefined;
  return isMapped(groups, family, length)
    ? { family: 4, groups: groups.slice(6).flatMap((group) => [group >> 8, group & 255]), length: length - 96 }
    : { family, groups, length };
}

/** The one form that a network is written in, with its length: `192.0.2.1/32`, or as RFC 5952 says `2001:db8::/32`. */
export const writtenNetwork = ({ family, groups, length }: Network): string => `${written(groups, family)}/${length}`;

/** The networks of `lengths` that hold all of `network`, as they are written. */
export function networksAround({ family, groups, length }: Network, lengths: Lengths): string[] {
  return lengths[family]
    .filter((each) => each <= length)
    .map((each) => `${written(maskedBits(groups, family, each), family)}/${each}`);
}

function familyOf(address: string): Family | undefined {
  if (isIPv4(address)) return 4;
  return isIPv6(address) && !address.includes('%') ? 6 : undefined;
}

/** The 8 groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::').map((half) => (half === '' ? [] : half.split(':').flatMap(groupOf)));
  const first = head === '' ? [] : head;
  if (tail === undefined) return first;
  return [...first, ...Array.from({ length: 8 - first.length - tail.length }, () => 0), ...tail];
}

/** The end may be written as IPv4. */
function groupOf(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

const isMapped = (groups: readonly number[], family: Family, length: number): boolean =>
  family === 6 && length >= 96 && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);

/** `groups` with nothing but their first `length` bits. */
function maskedBits(groups: readonly number[], family: Family, length: number): number[] {
  const width = family === 4 ? 8 : 16;
  const masked: number[] = [];
  for (let at = 0; at < groups.length; at++) {
    const dropped = width - Math.min(width, Math.max(0, length - at * width));
    masked.push(((groups[at] ?? 0) >> dropped) << dropped);
  }
  return masked;
}

/** Written many thousand times for one question, so it makes no arrays on the way. */
function written(groups: readonly number[], family: Family): string {
  if (family === 4) return `${groups[0]}.${groups[1]}.${groups[2]}.${groups[3]}`;
  const zeros = longestZeros(groups);
  let text = '';
  for (let at = 0; at < groups.length; at++) {
    if (zeros.length > 1 && at === zeros.start) {
      text += '::';
      at += zeros.length - 1;
    } else text += `${text === '' || text.endsWith(':') ? '' : ':'}${(groups[at] ?? 0).toString(16)}`;
  }
  return text;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let [longest, length, start] = [0, 0, 0];
  for (let at = 0; at < groups.length; at++) {
    if (groups[at] !== 0) start = at + 1;
    else if (at + 1 - start > length) [longest, length] = [start, at + 1 - start];
  }
  return { start: longest, length };
}
