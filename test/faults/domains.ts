// The domains of a run: strict and available views, of three shapes.
import type { Domain } from './domain.js';
import { flags } from './domain-flag.js';
import { lists } from './domain-list.js';
import { menus } from './domain-menu.js';
import { parameters } from './domain-parameter.js';

export const domains: readonly Domain[] = [parameters, menus, flags, lists];
