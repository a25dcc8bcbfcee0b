// Demo data of our own making, written through the same mutations as any other data, and one token per role.
import { findMenuKeys, inTransaction, revokeTokensNamed } from '../db/index.js';
import { todayIn } from './business-date.js';
import { type Context, contextOfViewer, type Services } from './context.js';
import {
  ACCOUNTS,
  BLOCKED_DOMAINS,
  type DemoAccount,
  ENVIRONMENTS,
  FLAGS,
  type Line,
  MENUS,
  OFFICE_NETWORKS,
  PASSWORD_POLICY,
  PASSWORD_POLICY_SCHEMA,
} from './demo-data.js';
import { saveEnvironment } from './flag-environment.js';
import { saveFlag } from './flag-write.js';
import { saveMenu } from './menu.js';
import { closeBusinessDay, openAccount, postTransactions } from './posting.js';
import { DEMO_ROLES, type DemoRole, SCOPES } from './scopes.js';
import { putSecret } from './secret.js';
import { changeSecurityList } from './security-list.js';
import { putParameter } from './security-parameter.js';
import { issueToken } from './token-write.js';

/** Whom the token of each role stands for; the front end acts for Ana. */
const SUBJECTS: Record<DemoRole, string> = {
  frontend: 'ana',
  'back-office': 'back-office',
  'security-officer': 'security-officer',
  operator: 'operator',
};

/** Reserved: whatever bears this name is revoked at the next start. */
const TOKEN_NAME = 'demo token, printed at start';
const DAY_MS = 86_400_000;

/** Loads the demo data into a database that has no menus yet. */
export async function loadDemoData(services: Services): Promise<void> {
  if ((await findMenuKeys(services.query, undefined, 1)).length > 0) return;
  // Side by side: they share no rows, and each context is a request of its own.
  await Promise.all([
    ...MENUS.map((menu) => saveMenu(demoContext(services), menu)),
    ...ACCOUNTS.map((account) => loadAccount(demoContext(services), account)),
    ...ENVIRONMENTS.map((environment) => loadEnvironment(demoContext(services), environment)),
    loadSecurityValues(demoContext(services)),
  ]);
}

async function loadAccount(ctx: Context, { transactions, ...account }: DemoAccount): Promise<void> {
  await openAccount(ctx, account);
  for (const [at, lines] of transactions.entries()) {
    const daysAgo = transactions.length - at;
    const date = todayIn(account.timeZone, ctx.services.now() - daysAgo * DAY_MS);
    await postTransactions(ctx, { account: account.number, date, lines: lines.map(lineOf(date)) });
    await closeBusinessDay(ctx, { account: account.number, date });
  }
}

async function loadEnvironment(ctx: Context, environment: { key: string; public: boolean }): Promise<void> {
  await saveEnvironment(ctx, environment);
  for (const flag of FLAGS) await saveFlag(ctx, { ...flag, environment: environment.key });
}

async function loadSecurityValues(ctx: Context): Promise<void> {
  await putParameter(ctx, { name: 'password-policy', parameter: PASSWORD_POLICY, schema: PASSWORD_POLICY_SCHEMA });
  await changeSecurityList(ctx, { name: 'blocked-domains', add: BLOCKED_DOMAINS });
  await changeSecurityList(ctx, { name: 'office-networks', add: OFFICE_NETWORKS, kind: 'ADDRESS' });
  await putSecret(ctx, { name: 'partner-api-key', value: 'demo-key-of-no-partner', rotateEveryDays: 90 });
}

/** A fresh token for each role; those of earlier starts are revoked. */
export async function issueDemoTokens(services: Services): Promise<ReadonlyMap<string, string>> {
  await inTransaction(services.db, (tx) => revokeTokensNamed(tx, TOKEN_NAME));
  const issued = Object.entries(DEMO_ROLES).map(async ([role, scopes]) => {
    const subject = SUBJECTS[role as DemoRole];
    const { secret } = await issueToken(demoContext(services), { name: TOKEN_NAME, subject, scopes });
    return [role, secret] as const;
  });
  return new Map(await Promise.all(issued));
}

const demoContext = (services: Services): Context =>
  contextOfViewer(services, { subject: 'demo', scopes: new Set(SCOPES), tokenId: null });

const lineOf =
  (date: string) =>
  ([description, minor, kind]: Line, at: number) => ({ externalId: `${date}-${at + 1}`, description, minor, kind });
