// What the demo bank has: menus in two languages, accounts with their last days, feature toggles and security values.
import type { SaveFlagInput } from './flag-write.js';
import type { Json } from './json-limits.js';
import type { MenuItemInput } from './menu-item.js';

export interface DemoAccount {
  readonly number: string;
  readonly holder: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly opening: bigint;
  /** Of the last days, the oldest day first. */
  readonly transactions: readonly (readonly Line[])[];
}

export type Line = readonly [description: string, minor: bigint, kind: string];

const item = (key: string, label: string, url: string, children: MenuItemInput[] = []): MenuItemInput => ({
  key,
  label,
  url,
  children,
});

export const MENUS = [
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

export const ACCOUNTS: readonly DemoAccount[] = [
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

export const ENVIRONMENTS = [
  { key: 'production', public: true },
  { key: 'staging', public: false },
];

const onOff: Json = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

export const FLAGS: readonly Omit<SaveFlagInput, 'environment'>[] = [
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

export const PASSWORD_POLICY = { minLength: 12, maxAgeDays: 365, forbiddenLists: ['blocked-domains'] };

export const PASSWORD_POLICY_SCHEMA = {
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
export const BLOCKED_DOMAINS = ['throwaway.example', 'ten-minutes.example', 'no-reply.invalid', 'spam.test'];

/** Reserved for documentation: nobody's offices are there. */
export const OFFICE_NETWORKS = ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'];
