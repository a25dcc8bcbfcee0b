// The tokens of the measurement: the same ones in every process, so that nobody has to pass them on.
import { hash } from 'node:crypto';
import { makeSecret } from '../../src/resolvers/token-secret.js';

export const PEPPER = 'a pepper for measurements, longer than 32 characters';
export const MASTER_KEY = '0123456789abcdef'.repeat(4);

/** Of the service that asks for everybody. */
export const service = (): string => secretOf('service');
/** Of the n-th token that is introspected. */
export const introspected = (at: number): string => secretOf(`introspected-${at}`);
/** Of the n-th holder who reads his own account. */
export const scope = (at: number): string => secretOf(`scope-${at}`);

const secretOf = (name: string): string => makeSecret(hash('sha256', `bench ${name}`, 'buffer'));
