/** What a command is: its options, and what it does with them. */
import type { Options } from "yargs";
import type { Io } from "./io.ts";
import type { Log } from "./logging.ts";
import type { Arguments } from "./options.ts";
import type { Progress } from "./progress.ts";

export interface Positional {
  readonly name: string;
  readonly required: boolean;
  readonly describe: string;
}

export interface Context {
  readonly io: Io;
  readonly log: Log;
  readonly progress: Progress;
}

export interface Command {
  readonly name: string;
  readonly describe: string;
  readonly positional?: Positional;
  readonly options: Readonly<Record<string, Options>>;
  readonly examples: readonly (readonly [command: string, describe: string])[];
  /** Loads what it needs when it is called: the other commands and `--help` stay quick. */
  run(args: Arguments, context: Context): Promise<void>;
}
