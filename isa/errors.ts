/**
 * What the user can mend: a wrong file, value or option. The command line prints the message alone, without a stack,
 * and exits with `exitCode`. A message says value, rule, place and remedy, in one line.
 */
export class RapError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RapError";
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A wrong command line: exit code 2. */
export class UsageError extends RapError {
  constructor(message: string) {
    super(message, { exitCode: 2 });
    this.name = "UsageError";
  }
}

/** Names a closed list of known values in a refusal: `a, b, c`. */
export function listNames(names: Iterable<string>): string {
  return [...names].join(", ");
}

/** Proves to the compiler that a switch is exhaustive; reached only by a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
