// How much there is to ask for.

export interface Size {
  readonly menus: number;
  readonly environments: number;
  readonly accounts: number;
  readonly tokens: number;
  readonly batches: number;
  /** Accounts of holders who each have a token of their own, and read nothing but their own. */
  readonly scopes: number;
}

export const ITEMS_PER_MENU = 60;
export const FLAGS_PER_ENVIRONMENT = 50;
export const LINES_PER_STATEMENT = 20;
/** Of the statement of one scope: a hundred thousand of them have to fit. */
export const LINES_PER_SCOPE = 5;
export const ENTRIES_PER_BATCH = 20;

export function sizeOf(scopes: number): Size {
  return { menus: 200, environments: 10, accounts: 300, tokens: 200, batches: 200, scopes };
}
