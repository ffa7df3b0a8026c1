/** A start that cannot succeed, for reasons that the operator can change. The message says which. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
