// Who is at the other end: the address of the connection, or, where that is a listed proxy, the one that the proxy names.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const maxHops = 20;

/**
 * The address that a request counts for. Of an IPv6 address its first half, of which a customer has all addresses.
 * X-Forwarded-For is read from its end and believed as long as listed proxies wrote it.
 */
export function addressOf({ socket, headers }: IncomingMessage, proxies: BlockList): string {
  let address = plain(socket.remoteAddress ?? '');
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded === 'string' && isListed(address, proxies)) {
    for (const hop of forwarded.split(',').slice(-maxHops).reverse()) {
      const named = plain(hop.trim());
      if (isIP(named) === 0) break;
      address = named;
      if (!isListed(address, proxies)) break;
    }
  }
  return isIP(address) === 6 ? networkOf(address) : address;
}

/** A list of addresses and networks, such as `10.0.0.0/8`. */
export function networksOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

function isListed(address: string, proxies: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && proxies.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The first four groups. */
function networkOf(address: string): string {
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = address.includes('::') ? Math.max(0, 8 - before.length - after.length) : 0;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
