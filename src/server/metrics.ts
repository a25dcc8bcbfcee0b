// /metrics: the numbers of the gateway in the text form that Prometheus reads. Labels are words of ours, never keys,
// documents or callers.

import { type Exchange, onlyMethods } from './exchange.js';

/** One number; its name is that of a family. */
export interface Sample {
  readonly family: Family;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Family = keyof typeof families;

const families = {
  espelho_requests_total: ['counter', 'Requests answered, by path, kind of operation and outcome.'],
  espelho_requests_in_flight: ['gauge', 'Requests at work that ask the stores.'],
  espelho_subscriptions: ['gauge', 'Subscriptions that hold a place.'],
  espelho_cache_reads_total: ['counter', 'Reads of entries, by view and outcome.'],
  espelho_cache_refills_total: ['counter', 'Entries loaded from SQL, by view and by what the store did with them.'],
  espelho_cache_loads_total: ['counter', 'Batches of entries loaded from SQL, by view.'],
  espelho_cache_mismatches_total: ['counter', 'Hits that SQL contradicted, of those compared with it.'],
  espelho_answers_total: ['counter', 'Ready answers that were found: given again, or outdated.'],
  espelho_answers_bytes: ['gauge', 'Memory of ready answers.'],
  espelho_partition_trusted: ['gauge', 'Whether reads of a partition may come from the store.'],
  espelho_relay_lag_seconds: ['gauge', 'Since changes made by others were last carried over.'],
  espelho_event_loop_delay_seconds: ['gauge', 'How late the event loop ran lately.'],
  espelho_workers: ['gauge', 'Workers that there are to be, and that serve.'],
  espelho_worker_deaths_total: ['counter', 'Workers that ended without being told to.'],
  process_resident_memory_bytes: ['gauge', 'Resident memory.'],
  process_cpu_seconds_total: ['counter', 'Time on the processor, in user and kernel mode.'],
} as const;

/** Answers the numbers that `metrics` tells. */
export async function serveMetrics(exchange: Exchange, metrics: () => Promise<string>): Promise<void> {
  onlyMethods(exchange, 'GET', 'HEAD');
  const text = await metrics();
  exchange.response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
}

/** `samples` as text, each family together. */
export function metricsText(samples: readonly Sample[]): string {
  const lines = Object.entries(families).flatMap(([family, [type, help]]) => {
    const own = samples.filter((sample) => sample.family === family);
    if (own.length === 0) return [];
    return [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...own.map(line)];
  });
  return `${lines.join('\n')}\n`;
}

function line({ family, labels, value }: Sample): string {
  const told = Object.entries(labels).map(([name, text]) => `${name}="${text.replace(/[\\"\n]/g, '_')}"`);
  return `${family}${told.length > 0 ? `{${told.join(',')}}` : ''} ${value}`;
}
