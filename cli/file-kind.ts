/** What a file is, by its first bytes: a wrong kind is named, with what to do about it, before anything tries to read it. */
import { RapError } from "../isa/errors.ts";
import { fileExists, readStart, shown } from "./files.ts";

const KINDS = {
  png: { what: "a PNG picture", begins: "\x89PNG" },
  jpeg: { what: "a JPEG picture", begins: "\xff\xd8\xff" },
  program: { what: "a program", begins: "RAPSIMPG" },
  rapq: { what: "a quantized network", begins: "RAPSIMQM" },
} as const;
type Kind = keyof typeof KINDS;

/** What a command wants, and what to do with another kind of file instead. */
const REMEDIES = {
  network: { png: "pictures go to --image", jpeg: "pictures go to --image" },
  program: {
    png: "pictures go to --image",
    jpeg: "pictures go to --image",
    rapq: "compile it first: rapsim compile FILE",
  },
  "assembly text": {
    png: "a program's text is needed",
    jpeg: "a program's text is needed",
    program: "it is assembled already; rapsim disasm FILE shows its text",
    rapq: "compile it: rapsim compile FILE",
  },
} as const satisfies Record<string, Partial<Record<Kind, string>>>;

/** Refuses a file of a kind that a command is known not to read. Anything else is left to who reads it. @throws RapError */
export async function checkKind(path: string, wanted: keyof typeof REMEDIES): Promise<void> {
  if (!(await fileExists(path))) return;
  const start = await readStart(path).then(
    (bytes) => Buffer.from(bytes).toString("latin1"),
    () => "",
  );
  const remedies: Partial<Record<Kind, string>> = REMEDIES[wanted];
  for (const [kind, remedy] of Object.entries(remedies)) {
    const { what, begins } = KINDS[kind as Kind];
    if (start.startsWith(begins)) {
      throw new RapError(`${shown(path)}: is ${what}; ${remedy.replace("FILE", shown(path))}`);
    }
  }
}
