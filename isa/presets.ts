/** Machine files: YAML with comments, `name`, optional `about`, and `parameters`. The presets lie beside this module. */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { listNames, RapError } from "./errors.ts";
import { createMachine, type Machine, PARAMETER_KEYS, PARAMETERS } from "./machine.ts";
import { yaml } from "./yaml.ts";

export const DEFAULT_MACHINE = "rap-e";

const presetsFolder = fileURLToPath(new URL("./presets/", import.meta.url));
/** The YAML parser takes quadratic time on hostile text; a real machine file has a few KiB. */
const MAX_MACHINE_FILE_BYTES = 1 << 16;

export function presetNames(): string[] {
  return readdirSync(presetsFolder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

/** A preset's file as it stands, comments included. */
export function presetText(name: string): string {
  if (!presetNames().includes(name)) {
    throw new RapError(`machine '${name}': no such preset or file; presets: ${listNames(presetNames())}`);
  }
  return readFileSync(`${presetsFolder}${name}.yaml`, "utf8");
}

/** Reads the text of a machine file. @param path named in messages. @throws RapError */
export function parseMachine(text: string, path: string): Machine {
  if (text.length > MAX_MACHINE_FILE_BYTES)
    throw new RapError(`${path}: ${text.length} characters; a machine file has at most ${MAX_MACHINE_FILE_BYTES}`);
  let content: unknown;
  try {
    content = yaml().parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (error) {
    throw new RapError(`${path}: not YAML: ${(error as Error).message.split("\n")[0].replace(/:$/, "")}`, {
      cause: error,
    });
  }
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isRecord(content))
    throw new RapError(
      `${path}: a machine file holds 'name' and 'parameters'; see rapsim machines --show ${DEFAULT_MACHINE}`,
    );
  const { name, about, parameters, ...rest } = content;
  const extra = Object.keys(rest)[0];
  if (extra !== undefined) throw new RapError(`${path}: '${extra}' is not one of name, about, parameters`);
  if (typeof name !== "string" || name === "")
    throw new RapError(`${path}: name = ${JSON.stringify(name)}: must be a text`);
  if (about !== undefined && typeof about !== "string") throw new RapError(`${path}: about: must be a text`);
  if (!isRecord(parameters ?? {}))
    throw new RapError(`${path}: parameters = ${JSON.stringify(parameters)}: must be a map of parameter to value`);
  return createMachine(name, (parameters ?? {}) as Record<string, unknown>, path);
}

/** Presets read so far: machines are frozen and files do not change. */
const loaded = new Map<string, Machine>();

export function loadPreset(name: string): Machine {
  const machine = loaded.get(name) ?? parseMachine(presetText(name), `preset ${name}`);
  loaded.set(name, machine);
  return machine;
}

/** A preset's name or a machine file's path. */
export function loadMachine(nameOrPath: string): Machine {
  if (presetNames().includes(nameOrPath)) return loadPreset(nameOrPath);
  let text: string;
  try {
    text = readFileSync(nameOrPath, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new RapError(
      code === "ENOENT"
        ? `machine '${nameOrPath}': no such preset or file; presets: ${listNames(presetNames())}`
        : `machine '${nameOrPath}': cannot be read (${code})`,
      { cause: error },
    );
  }
  return parseMachine(text, nameOrPath);
}

/** A machine as a file that `parseMachine` reads; every parameter with its unit and meaning. */
export function machineText(machine: Machine): string {
  const lines = PARAMETER_KEYS.map((key) => {
    const { unit, meaning } = PARAMETERS[key];
    return `  ${yaml()
      .stringify({ [key]: machine.parameters[key] })
      .trimEnd()} # ${unit ? `${unit}; ` : ""}${meaning}`;
  });
  return `name: ${JSON.stringify(machine.name)}\nparameters:\n${lines.join("\n")}\n`;
}
