/** The command line as a function: arguments and streams in, exit code out. */
import yargs, { type Argv } from "yargs";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { listNames, UsageError } from "../isa/errors.ts";
import type { Command } from "./command.ts";
import { asm } from "./commands/asm.ts";
import { compile } from "./commands/compile.ts";
import { disasm } from "./commands/disasm.ts";
import { evaluate } from "./commands/eval.ts";
import { explain } from "./commands/explain.ts";
import { exportModel } from "./commands/export.ts";
import { info } from "./commands/info.ts";
import { machines } from "./commands/machines.ts";
import { quantize } from "./commands/quantize.ts";
import { run } from "./commands/run.ts";
import { scenes } from "./commands/scenes.ts";
import { sweep } from "./commands/sweep.ts";
import { tradeoff } from "./commands/tradeoff.ts";
import { validate } from "./commands/validate.ts";
import { worker } from "./commands/worker.ts";
import { describeFailure, EXIT } from "./errors.ts";
import { ClosedPipe, type Io, pageWidth, write } from "./io.ts";
import { createLogger, LOG_LEVELS } from "./logging.ts";
import { type Arguments, choiceOf, flag, flagOf, text } from "./options.ts";
import { createProgress } from "./progress.ts";

export const COMMANDS: readonly Command[] = [
  run,
  compile,
  quantize,
  evaluate,
  scenes,
  tradeoff,
  sweep,
  worker,
  exportModel,
  info,
  explain,
  disasm,
  asm,
  machines,
  validate,
];

export const LOG_OPTIONS = {
  "log-level": text(`least important log line on standard error: ${LOG_LEVELS.join(", ")} (default warn)`),
  "log-json": flag("logs and errors as JSON lines"),
};

/** A command with its arguments. */
class Chosen {
  constructor(
    readonly command: Command,
    readonly args: Arguments,
  ) {}
}

/** What a command line asks for: a command with its arguments, or a text such as help. @throws UsageError */
export async function parse(argv: readonly string[], io: Io): Promise<Chosen | string> {
  let output = "";
  try {
    await createParser(io).parseAsync([...argv], {}, (_error: unknown, _args: unknown, printed: string) => {
      output = printed;
    });
  } catch (thrown) {
    if (thrown instanceof Chosen) return thrown;
    throw thrown;
  }
  if (output !== "") return output;
  throw new UsageError(`no command given; known: ${listNames(COMMANDS.map(({ name }) => name))}`);
}

/** Runs one command line, without the name of the program. @returns the exit code */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const asked = await parse(argv, io);
    if (typeof asked === "string") await write(io.stdout, `${asked}\n`);
    else await execute(asked, io);
    return EXIT.done;
  } catch (error) {
    const command = COMMANDS.find(({ name }) => name === argv[0])?.name;
    return fail(error, command, argv.includes("--log-json"), io);
  }
}

/** A parser whose commands throw what was chosen: a command that returned would have its help laid out, for nothing. */
function createParser(io: Io): Argv {
  const parser = yargs()
    .scriptName("rapsim")
    .locale("en")
    .usage(
      "rapsim <command> [options]\n\nSimulates an INT8 edge accelerator: what a network finds, and its time, traffic and energy.",
    )
    .parserConfiguration({
      "greedy-arrays": false,
      "dot-notation": false,
      "camel-case-expansion": false,
      "parse-numbers": false,
      "boolean-negation": false,
    })
    .options(LOG_OPTIONS)
    .group([...Object.keys(LOG_OPTIONS), "help", "version"], "Everywhere:")
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message: string, error: Error | undefined) => {
      throw error instanceof UsageError ? error : new UsageError(reworded(message || String(error?.message)));
    })
    .version(RAPSIM_VERSION)
    .help()
    .alias("help", "h")
    .wrap(pageWidth(io.stdout))
    .epilogue("rapsim <command> --help says more. Exit codes: 0 done, 1 an input is wrong, 2 wrong usage, 70 a bug.");
  for (const command of COMMANDS) {
    const { positional } = command;
    const place =
      positional === undefined ? "" : positional.required ? ` <${positional.name}>` : ` [${positional.name}]`;
    parser.command(
      `${command.name}${place}`,
      command.describe,
      (y) => {
        if (positional !== undefined) y.positional(positional.name, { describe: positional.describe });
        y.usage(`rapsim ${command.name}${place.toUpperCase()} [options]\n\n${command.describe}`)
          .options(command.options)
          .group(Object.keys(command.options), "Options:")
          .group([...Object.keys(LOG_OPTIONS), "help", "version"], "Everywhere:")
          .epilogue(examplesText(command));
      },
      (args) => {
        // yargs makes `true` of a lone dash
        const given: unknown = positional === undefined ? undefined : args[positional.name];
        if (given !== undefined && typeof given !== "string") {
          throw new UsageError(
            `-: standard input is not read in place of a ${positional?.name}; name a file, or /dev/stdin`,
          );
        }
        throw new Chosen(command, args);
      },
    );
  }
  return parser;
}

/** yargs' words in ours; it spreads some messages over lines. */
function reworded(message: string): string {
  const line = message.replace(/\s*\n\s*/g, "; ");
  return line
    .replace(/^Unknown arguments?: /, "unknown option or argument: ")
    .replace(/^Did you mean /, "unknown command; did you mean ")
    .replace(/^Not enough arguments following: (.+)$/, "--$1: its value is missing")
    .replace(/^Not enough non-option arguments: .*$/, "a file or name is missing");
}

/** yargs would set examples in two narrow columns. */
function examplesText({ examples }: Command): string {
  return [
    "Examples:",
    ...examples.flatMap(([line, describe]) => [`  ${line}`, ...(describe === "" ? [] : [`      ${describe}`])]),
  ].join("\n");
}

async function execute({ command, args }: Chosen, io: Io): Promise<void> {
  const json = flagOf(args, "log-json");
  const log = createLogger({ level: choiceOf(args, "log-level", LOG_LEVELS) ?? "warn", json }, io);
  const progress = await createProgress(io, !json);
  try {
    await command.run(args, { io, log, progress });
  } finally {
    progress.stop();
  }
}

async function fail(error: unknown, command: string | undefined, json: boolean, io: Io): Promise<number> {
  const { exitCode, message } = describeFailure(error, command);
  if (message === "") return exitCode;
  try {
    if (json) createLogger({ level: "error", json }, io).fatal(message);
    else await write(io.stderr, `${message}\n`);
  } catch (failure) {
    // nobody reads standard error either
    if (!(failure instanceof ClosedPipe)) throw failure;
  }
  return exitCode;
}
