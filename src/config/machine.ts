// The settings of the machine: how many processes serve, and where operators read what they count.

export interface MachineConfig {
  readonly workers: number;
  /** Where numbers and health are served apart from requests; undefined where they are not. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Whether the port of requests serves the numbers, too. */
  readonly metricsBesideRequests: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The names of all settings here that carry our own name. */
export const machineSettings: readonly string[] = ['ESPELHO_WORKERS', 'ESPELHO_METRICS_PORT', 'ESPELHO_METRICS_HOST'];

/** Each holds connections to the stores, and more than there are cores only get in each other's way. */
const MOST_WORKERS = 64;

/** What `env` says of the machine, and a sentence for each fault. */
export function readMachine(env: Env): { readonly machine: MachineConfig; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const number = (name: string, min: number, max: number, otherwise: string): number | undefined => {
    const text = env[name]?.trim();
    if (text === undefined) return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    faults.push(`${name} must be a whole number from ${min} to ${max}; ${otherwise}.`);
    return undefined;
  };
  const [plain, ours] = ['WORKERS', 'ESPELHO_WORKERS'].map((name) =>
    number(name, 1, MOST_WORKERS, 'leave it unset for one process'),
  );
  if (plain !== undefined && ours !== undefined && plain !== ours) {
    faults.push('WORKERS and ESPELHO_WORKERS are the same setting and say different things; remove one of them.');
  }
  const port = number('ESPELHO_METRICS_PORT', 0, 65_535, 'leave it unset for no port of their own');
  const host = env.ESPELHO_METRICS_HOST?.trim();
  if (host !== undefined && !/^[\w.:%-]+$/.test(host)) {
    faults.push('ESPELHO_METRICS_HOST must be an address or a host name, such as 127.0.0.1.');
  }
  if (host !== undefined && env.ESPELHO_METRICS_PORT === undefined) {
    faults.push('ESPELHO_METRICS_HOST says where ESPELHO_METRICS_PORT is; set that one, too.');
  }
  const metrics = port === undefined ? undefined : { host: host ?? '127.0.0.1', port };
  const metricsBesideRequests = metrics === undefined && env.NODE_ENV !== 'production';
  return { machine: { workers: plain ?? ours ?? 1, metrics, metricsBesideRequests }, faults };
}
