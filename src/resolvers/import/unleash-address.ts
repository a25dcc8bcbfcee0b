// Networks as rules of flagd, which knows text only: an address is within a network if it begins as the network's
// addresses are written.
import { parseNetwork, writtenNetwork } from '../security-address.js';
import { anyOf, Inexpressible, type Rule } from './unleash-rule.js';

/**
 * Whether the address in `value`, written as usual, is one of `entries` or within one. Entries that are no address are
 * left out with a note, as Unleash leaves them out.
 * @throws {Inexpressible} for an IPv6 network whose addresses have no common beginning in writing.
 */
export function isWithin(entries: readonly string[], value: Rule, note: (sentence: string) => void): Rule {
  const addresses: string[] = [];
  const beginnings: string[] = [];
  for (const entry of entries.map((each) => each.trim()).filter((each) => each !== '')) {
    const network = parseNetwork(entry);
    if (!network) {
      note(`${JSON.stringify(entry.slice(0, 50))} is no address or network, and is left out.`);
      continue;
    }
    const { family, groups, length } = network;
    if (length === (family === 4 ? 32 : 128)) addresses.push(writtenNetwork(network).replace(/\/\d+$/, ''));
    else if (family === 4) addIPv4(groups, length, addresses, beginnings);
    else beginnings.push(ipv6Beginning(entry, groups, length));
  }
  return anyOf([
    ...(addresses.length > 0 ? [{ in: [value, addresses] }] : []),
    ...beginnings.map((beginning) => ({ starts_with: [value, beginning] })),
  ]);
}

/** The group that the length ends in is counted out: 128 ways of writing at most. */
function addIPv4(groups: readonly number[], length: number, addresses: string[], beginnings: string[]): void {
  const whole = Math.floor(length / 8);
  const before = groups
    .slice(0, whole)
    .map((group) => `${group}.`)
    .join('');
  const rest = length % 8;
  if (rest === 0 && whole > 0) {
    beginnings.push(before);
    return;
  }
  const from = groups[whole] ?? 0;
  for (let group = from; group < from + 2 ** (8 - rest); group += 1) {
    if (whole === 3) addresses.push(`${before}${group}`);
    else beginnings.push(`${before}${group}.`);
  }
}

/** Zeros may be left out in writing, so that a beginning with zeros has several forms. */
function ipv6Beginning(entry: string, groups: readonly number[], length: number): string {
  const whole = groups.slice(0, length / 16);
  if (length % 16 !== 0 || length === 0 || whole.includes(0)) {
    throw new Inexpressible(
      `the network ${entry}; of IPv6, networks of 16, 32, 48 … bits without groups of zeros can be told`,
    );
  }
  return whole.map((group) => `${group.toString(16)}:`).join('');
}
