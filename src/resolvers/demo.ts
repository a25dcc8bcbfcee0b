// Demo data of our own making: a small bank with menus in two languages and three accounts with closed days, written
// through the same mutations as any other data, and one token per role.
import { findMenuKeys, revokeTokensNamed } from '../db/index.js';
import { todayIn } from './business-date.js';
import type { Context, Services } from './context.js';
import { saveMenu } from './menu.js';
import type { MenuItemInput } from './menu-item.js';
import { closeBusinessDay, openAccount, postTransactions } from './posting.js';
import { DEMO_ROLES, type DemoRole, SCOPES } from './scopes.js';
import { issueToken } from './token.js';

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
  const ctx = demoContext(services);
  for (const menu of MENUS) await saveMenu(ctx, menu);
  for (const { transactions, ...account } of ACCOUNTS) {
    await openAccount(ctx, account);
    for (const [at, lines] of transactions.entries()) {
      const daysAgo = transactions.length - at;
      const date = todayIn(account.timeZone, services.now() - daysAgo * DAY_MS);
      await postTransactions(ctx, { account: account.number, date, lines: lines.map(lineOf(date)) });
      await closeBusinessDay(ctx, { account: account.number, date });
    }
  }
}

/** A fresh token for each role; those of earlier starts are revoked. */
export async function issueDemoTokens(services: Services): Promise<ReadonlyMap<string, string>> {
  await revokeTokensNamed(services.db, TOKEN_NAME);
  const tokens = new Map<string, string>();
  for (const [role, scopes] of Object.entries(DEMO_ROLES)) {
    const subject = SUBJECTS[role as DemoRole];
    const { secret } = await issueToken(demoContext(services), { name: TOKEN_NAME, subject, scopes });
    tokens.set(role, secret);
  }
  return tokens;
}

const demoContext = (services: Services): Context => ({
  services,
  viewer: { subject: 'demo', scopes: new Set(SCOPES), tokenId: null },
  cache: services.cache.request(),
  posted: true,
});

const lineOf =
  (date: string) =>
  ([description, minor, kind]: Line, at: number) => ({ externalId: `${date}-${at + 1}`, description, minor, kind });

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

/** Transactions of the last days, the oldest day first. */
const ACCOUNTS: readonly {
  readonly number: string;
  readonly holder: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly opening: bigint;
  readonly transactions: readonly (readonly Line[])[];
}[] = [
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
