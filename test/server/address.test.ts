// Whom a request counts for, where proxies stand in between.

import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { addressOf, networksOf } from '../../src/server/address.js';

const proxies = networksOf(['10.0.0.0/8', '192.168.1.4', 'fd00::/8']);

function from(remoteAddress: string, forwarded?: string): string {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return addressOf(request, proxies);
}

it.each([
  ['nobody in between', '203.0.113.7', undefined, '203.0.113.7'],
  ['IPv4 in the form of IPv6', '::ffff:203.0.113.7', undefined, '203.0.113.7'],
  ['a stranger who names another', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a listed proxy', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['a listed proxy, in the form of IPv6', '::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['a client who wrote a name of his own before', '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['two listed proxies', '10.1.2.3', '198.51.100.1, 192.168.1.4', '198.51.100.1'],
  ['listed proxies alone', '10.1.2.3', '10.9.9.9, 192.168.1.4', '10.9.9.9'],
  ['a proxy that names nobody', '10.1.2.3', 'unknown, x', '10.1.2.3'],
  ['nothing to read', '10.1.2.3', '', '10.1.2.3'],
])('%s', (_, remote, forwarded, expected) => {
  expect(from(remote, forwarded)).toBe(expected);
});

it('takes the addresses of one IPv6 customer for one', () => {
  expect(from('2001:db8:1:2:3:4:5:6')).toBe(from('2001:db8:1:2::9'));
  expect(from('2001:db8:1:2::9')).not.toBe(from('2001:db8:1:3::9'));
  expect(from('fd00::1', '2001:DB8::1')).toBe('2001:db8:0:0::/64');
});
