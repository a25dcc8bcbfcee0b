// GraphiQL in production: only where it is switched on, and only with a token.

import { expect, it } from 'vitest';
import { startEdge } from './edge-schema.js';
import type { Gateway } from './gateway.js';

const page = (gateway: Gateway, token?: string) =>
  fetch(`${gateway.url}/graphql`, {
    headers: {
      accept: 'text/html',
      ...(token && { authorization: `Basic ${Buffer.from(`anybody:${token}`).toString('base64')}` }),
    },
  });

it('is not there unless it is switched on', async () => {
  const gateway = await startEdge({ production: true });
  expect((await page(gateway, 'free')).status).toBe(406);
  expect((await fetch(`${gateway.url}/graphiql/start.js`)).status).toBe(404);
  await gateway.close();
});

it('takes the token of somebody who may send any document, and lets scripts of its own run alone', async () => {
  const gateway = await startEdge({ production: true, graphiql: { examples: [] } });
  for (const token of [undefined, 'bad', 'ana']) {
    const refused = await page(gateway, token);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="GraphiQL", charset="UTF-8"',
    ]);
  }
  const shown = await page(gateway, 'free');
  expect(shown.status).toBe(200);
  expect(shown.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  await gateway.close();
});
