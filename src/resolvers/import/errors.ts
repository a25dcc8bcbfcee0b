// What stops an import as a whole; faults of single records are in its report instead.

/** Nothing of the import was written, or nothing can be; the sentence says what to do. */
export class ImportFailed extends Error {
  override readonly name = 'ImportFailed';
  readonly code = 'IMPORT_FAILED';
}
