// How much garbage a process that serves puts up with.

import { setFlagsFromString } from 'node:v8';

/** Of what lives. V8 by itself lets it grow to three times as much, which is of no use to a gateway. */
const GARBAGE_PERCENT = 100;

/** Has V8 collect before garbage takes more room than what lives; measured, that costs no time. */
export const boundGarbage = (): void => setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`);
