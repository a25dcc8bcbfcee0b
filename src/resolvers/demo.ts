// Demo data of our own making: a small bank with menus in two languages, three accounts with closed days, feature toggles
// and security values, written through the same mutations as any other data, and one token per role.
import { findMenuKeys, revokeTokensNamed } from '../db/index.js';
import { todayIn } from './business-date.js';
import { type Context, contextOfViewer, type Services } from './context.js';
import { type SaveFlagInput, saveFlag } from './flag.js';
import { saveEnvironment } from './flag-environment.js';
import type { Json } from './json-limits.js';
import { saveMenu } from './menu.js';
import type { MenuItemInput } from './menu-item.js';
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
  await revokeTokensNamed(services.db, TOKEN_NAME);
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

interface DemoAccount {
  readonly number: string;
  readonly holder: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly opening: bigint;
  /** Of the last days, the oldest day first. */
  readonly transactions: readonly (readonly Line[])[];
}

type Line = readonly [description: string, minor: bigint, kind: string];

const item = (key: string, label: string, url: string, children: MenuItemInput[] = []): MenuItemInput => ({
  key,
  label,
  url,
  children,
});

const MENUS = [
  {
    key: 'main',
    locale: 'en',
    title: 'Banco Espelho',
    items: [
      item('accounts', 'Accounts', '/accounts', [
        item('statement', 'Statement', '/accounts/statement'),
        item('transfers', 'Transfers', '/accounts/transfers'),
      ]),
      item('cards', 'Cards', '/cards', [
        item('limits', 'Limits', '/cards/limits'),
        item('bill', 'Bill', '/cards/bill'),
      ]),
      item('investments', 'Investments', '/investments', [item('funds', 'Funds', '/investments/funds')]),
      item('help', 'Help', '/help'),
      { ...item('back-office', 'Back office', '/back-office'), requiredScope: 'menus:write' },
    ],
  },
  {
    key: 'main',
    locale: 'pt-BR',
    title: 'Banco Espelho',
    items: [
      item('accounts', 'Contas', '/accounts', [
        item('statement', 'Extrato', '/accounts/statement'),
        item('transfers', 'Transferências', '/accounts/transfers'),
      ]),
      item('cards', 'Cartões', '/cards', [
        item('limits', 'Limites', '/cards/limits'),
        item('bill', 'Fatura', '/cards/bill'),
      ]),
      item('investments', 'Investimentos', '/investments', [item('funds', 'Fundos', '/investments/funds')]),
      item('help', 'Ajuda', '/help'),
      { ...item('back-office', 'Retaguarda', '/back-office'), requiredScope: 'menus:write' },
    ],
  },
  {
    key: 'footer',
    locale: 'en',
    title: 'Footer',
    items: [
      item('about', 'About us', '/about'),
      item('privacy', 'Privacy', '/privacy'),
      item('contact', 'Contact', 'mailto:contact@example.com'),
    ],
  },
  {
    key: 'footer',
    locale: 'pt-BR',
    title: 'Rodapé',
    items: [
      item('about', 'Quem somos', '/about'),
      item('privacy', 'Privacidade', '/privacy'),
      item('contact', 'Contato', 'mailto:contact@example.com'),
    ],
  },
];

const ACCOUNTS: readonly DemoAccount[] = [
  {
    number: '0001-1',
    holder: 'ana',
    currency: 'BRL',
    timeZone: 'America/Sao_Paulo',
    opening: 150_000n,
    transactions: [
      [
        ['Salário', 650_000n, 'CREDIT'],
        ['Aluguel', -180_000n, 'BOLETO'],
      ],
      [
        ['Padaria do Zé', -1_290n, 'CARD'],
        ['Pix de Bruno', 5_000n, 'PIX'],
        ['Metrô', -500n, 'CARD'],
      ],
      [
        ['Supermercado', -32_145n, 'CARD'],
        ['Rendimento', 317n, 'INTEREST'],
      ],
    ],
  },
  {
    number: '0001-2',
    holder: 'bruno',
    currency: 'BRL',
    timeZone: 'America/Sao_Paulo',
    opening: 20_000n,
    transactions: [
      [['Freelance', 120_000n, 'CREDIT']],
      [
        ['Pix para Ana', -5_000n, 'PIX'],
        ['Farmácia', -4_590n, 'CARD'],
      ],
      [['Conta de luz', -13_377n, 'BOLETO']],
    ],
  },
  {
    number: '0002-1',
    holder: 'ana',
    currency: 'USD',
    timeZone: 'America/New_York',
    opening: 100_000n,
    transactions: [
      [['Wire in', 250_000n, 'WIRE']],
      [
        ['Bookshop', -4_250n, 'CARD'],
        ['Coffee', -475n, 'CARD'],
      ],
      [['Interest', 92n, 'INTEREST']],
    ],
  },
];

const ENVIRONMENTS = [
  { key: 'production', public: true },
  { key: 'staging', public: false },
];

const onOff: Json = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

const FLAGS: readonly Omit<SaveFlagInput, 'environment'>[] = [
  { key: 'pix-at-night', enabled: true, description: 'Pix transfers between 20:00 and 06:00.', definition: onOff },
  { key: 'dark-mode', enabled: false, description: 'Not ready yet.', definition: onOff },
  {
    key: 'support-number',
    enabled: true,
    description: 'Whom customers call, by the country that they are in.',
    definition: {
      state: 'ENABLED',
      variants: { brazil: '0800 000 0000', portugal: '800 000 000', abroad: '+55 11 0000-0000' },
      defaultVariant: 'abroad',
      targeting: {
        if: [{ '==': [{ var: 'country' }, 'BR'] }, 'brazil', { '==': [{ var: 'country' }, 'PT'] }, 'portugal', null],
      },
    },
  },
  {
    key: 'new-statement',
    enabled: true,
    description: 'The new statement page, for a quarter of the customers; each always sees the same.',
    definition: {
      state: 'ENABLED',
      variants: { new: true, old: false },
      defaultVariant: 'old',
      targeting: {
        fractional: [
          ['new', 25],
          ['old', 75],
        ],
      },
    },
  },
];

const PASSWORD_POLICY = { minLength: 12, maxAgeDays: 365, forbiddenLists: ['blocked-domains'] };

const PASSWORD_POLICY_SCHEMA = {
  type: 'object',
  properties: {
    minLength: { type: 'integer', minimum: 8, maximum: 128 },
    maxAgeDays: { type: 'integer', minimum: 1 },
    forbiddenLists: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  },
  required: ['minLength'],
  additionalProperties: false,
};

/** Reserved names: nobody's mail comes from them. */
const BLOCKED_DOMAINS = ['throwaway.example', 'ten-minutes.example', 'no-reply.invalid', 'spam.test'];

/** Reserved for documentation: nobody's offices are there. */
const OFFICE_NETWORKS = ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'];
