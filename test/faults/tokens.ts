// Tokens come and go: each is accepted by every gateway once it is issued, and by none once it is revoked.
import { checkedKey } from './domain.js';
import { NoAnswer } from './gateway-process.js';
import { count, endWrite, oneOf, pause, type Traffic } from './traffic.js';
import { isRecord } from './wire.js';

interface Issued {
  readonly id: string;
  readonly secret: string;
  readonly key: string;
  revoked: boolean;
}

const MOST_TOKENS = 16;
const ISSUE = `mutation($name: String!) {
  write: issueToken(input: { name: $name, subject: "faults", scopes: ["menus:read"] }) {
    __typename ... on IssueTokenPayload { secret token { id } receipt { changeId version visible } }
    ... on UserError { code message } } }`;
const REVOKE = `mutation($id: ID!) {
  write: revokeToken(id: $id) {
    __typename ... on RevokeTokenPayload { receipt { changeId version visible } } ... on UserError { code message } } }`;

/** Issues and revokes tokens, and asks every gateway what it makes of them. */
export function tokenClients(traffic: Traffic): Promise<void>[] {
  const tokens: Issued[] = [];
  return [holder(traffic, tokens), ...traffic.site.gateways.map((_, at) => inspector(traffic, tokens, at))];
}

async function holder(traffic: Traffic, tokens: Issued[]): Promise<void> {
  const { site, checker, random, over } = traffic;
  const name = { name: 'token' };
  for (let serial = 1; !over(); serial++) {
    await pause(100 + random() * 300);
    const gateway = oneOf(site.gateways, random);
    if (!gateway.up) continue;
    const standing = tokens.filter(({ revoked }) => !revoked);
    if (standing.length < MOST_TOKENS / 2 || random() < 0.5) {
      const key = checkedKey(name, `t${serial}`);
      checker.open(key, null, 0, true);
      const write = checker.beginWrite(key, 'active');
      const answer = await gateway.ask(ISSUE, { name: `t${serial}` }).catch(asNoAnswer);
      const payload = endWrite(traffic, write, answer);
      if (!payload || !isRecord(payload.token)) continue;
      tokens.push({ id: String(payload.token.id), secret: String(payload.secret), key, revoked: false });
      if (tokens.length > MOST_TOKENS) tokens.shift();
    } else {
      const token = oneOf(standing, random);
      token.revoked = true;
      const write = checker.beginWrite(token.key, null);
      endWrite(traffic, write, await gateway.ask(REVOKE, { id: token.id }).catch(asNoAnswer));
    }
  }
}

async function inspector({ site, checker, tallies, random, over }: Traffic, tokens: readonly Issued[], at: number) {
  const gateway = site.gateways[at];
  while (gateway && !over()) {
    await pause(150 + random() * 150);
    const asked = [...tokens];
    if (!gateway.up || asked.length === 0) continue;
    const fields = asked.map(({ secret }, index) => `t${index}: introspectToken(token: "${secret}") { active }`);
    const ends = asked.map(({ key }) => checker.beginRead(key));
    const answer = await gateway.ask(`{ ${fields.join(' ')} }`).catch(asNoAnswer);
    for (const [index, end] of ends.entries()) {
      const found = answer instanceof NoAnswer ? undefined : answer.data?.[`t${index}`];
      if (isRecord(found)) end({ value: found.active === true ? 'active' : null }, gateway.name);
      else count(tallies.readErrors, answer instanceof NoAnswer ? 'NO_ANSWER' : (answer.errors[0]?.code ?? 'NONE'));
    }
  }
}

function asNoAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  throw error;
}
