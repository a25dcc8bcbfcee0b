// The scopes that a token may carry, and the roles that demo tokens are issued for. A scope that is not listed here
// can be neither asked for nor granted.

export const SCOPES = [
  /** Definitions, and items that are hidden from readers. */
  'menus:read',
  'menus:write',
  /** Environments that are not public. */
  'flags:evaluate',
  'flags:read',
  'flags:write',
  /** Accounts whose holder is the token's subject. */
  'statements:read',
  'statements:read-any',
  /** Days that are still open. */
  'statements:intraday',
  'statements:write',
  'tokens:read',
  'tokens:introspect',
  'tokens:write',
  /** May grant scopes that it lacks. */
  'tokens:grant',
  'security:read',
  'security:write',
  'security:reveal',
  'cache:read',
  'cache:write',
  'audit:read',
  /** Free-form operations in production. */
  'ad-hoc',
] as const;

export type Scope = (typeof SCOPES)[number];

/** What each demo role may do. */
export const DEMO_ROLES = {
  frontend: ['statements:read', 'ad-hoc'],
  'back-office': [...scopesOf('menus'), ...scopesOf('flags'), ...scopesOf('statements'), 'ad-hoc'],
  'security-officer': [...scopesOf('security'), ...scopesOf('tokens'), 'ad-hoc'],
  operator: [...scopesOf('cache'), 'audit:read', 'ad-hoc'],
} as const satisfies Record<string, readonly Scope[]>;

export type DemoRole = keyof typeof DEMO_ROLES;

/** Whether `text` names a scope. */
export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

/** Every scope of one domain. */
function scopesOf(domain: string): Scope[] {
  return SCOPES.filter((scope) => scope.startsWith(`${domain}:`));
}
