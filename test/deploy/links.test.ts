// Which links to the stores a gateway in production refuses before it opens one.
import { expect, it } from 'vitest';
import { unsafeLinks } from '../../src/config/links.js';

const production = { NODE_ENV: 'production' };
const postgres = (rest: string) => unsafeLinks({ ...production, DATABASE_URL: `postgres://u:secret@${rest}` });
const redis = (url: string) => unsafeLinks({ ...production, REDIS_URL: url });

it.each([
  'db/espelho',
  '10.0.0.7/espelho',
  'db/espelho?sslmode=prefer',
  '127.0.0.1,db/espelho',
])('Postgres at %s is a link in plain text', (rest) => {
  expect(postgres(rest)).toEqual([expect.stringMatching(/^DATABASE_URL leads to another host without TLS: add /)]);
});

it.each([
  '10.0.0.7/espelho?sslmode=verify-full',
  '[fd00::7]/espelho?sslmode=verify-full',
  '10.0.0.7/espelho?sslmode=verify-ca',
])('Postgres at %s is a server whose certificate is not checked against its address', (rest) => {
  const faults = postgres(rest);
  expect(faults).toEqual([expect.stringMatching(/^DATABASE_URL names its server by an address, .* write the name/)]);
  expect(faults.join()).not.toContain('secret');
});

it.each([
  'db/espelho?sslmode=verify-full',
  'localhost/espelho',
  '127.0.0.1/espelho?sslmode=verify-full',
  '10.0.0.7/espelho?sslmode=require',
])('Postgres at %s is taken', (rest) => {
  expect(postgres(rest)).toEqual([]);
});

it.each([
  'redis://:secret@cache',
  'redis+cluster://localhost:1,cache:2',
  'redis+sentinel://cache/primary',
])('Redis at %s is a link in plain text', (url) => {
  expect(redis(url)).toEqual([expect.stringMatching(/^REDIS_URL leads to another host without TLS: begin it /)]);
});

it.each([
  'rediss://cache',
  'rediss+cluster://10.0.0.7:1',
  'rediss+sentinel://cache/primary',
  'redis://[::1]',
])('Redis at %s is taken', (url) => {
  expect(redis(url)).toEqual([]);
});
