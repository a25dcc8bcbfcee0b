// Why workers end the whole.

/** A worker could not start, or dies again and again. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
  readonly code = 'WORKER_FAILED';
}
