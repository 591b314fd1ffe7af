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

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EEXIST: "something of that name is there",
  EISDIR: "is a folder",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  ELOOP: "too many symbolic links",
  EFBIG: "the file would be too large",
};

/** Why the operating system refused something, in words; its code where there are none. */
export function systemReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return SYSTEM_REASONS[code ?? ""] ?? code ?? String(error);
}

/** Proves to the compiler that a switch is exhaustive; reached only by a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
