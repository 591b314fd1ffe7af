/** `rapsim info`: what a file is and what is in it. */
import { RapError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { readInput, shown } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { flag, flagOf } from "../options.ts";

export const info: Command = {
  name: "info",
  describe: "Say what a program or a quantized network holds",
  positional: { name: "file", required: true, describe: "program (.bin) or quantized network (.rapq)" },
  options: { json: flag("as JSON") },
  examples: [["rapsim info squeezedet.bin", ""]],
  async run(args, { io }) {
    const path = args.file as string;
    const file = await readInput(path, "a program or quantized network");
    const { createPage } = await import("../../report/page.ts");
    const page = createPage({ color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) });
    const { decodedFile } = await import("../pipeline.ts");
    const decoded = await decodedFile(file, path);
    const print = (json: object, lines: () => string[]) =>
      write(io.stdout, flagOf(args, "json") ? `${JSON.stringify(json, null, 2)}\n` : `${lines().join("\n")}\n`);
    switch (decoded.kind) {
      case "program": {
        const { programFacts, programLines } = await import("../describe-program.ts");
        const facts = programFacts(decoded.program, file);
        return print(facts, () => programLines(page, shown(path), facts));
      }
      case "model": {
        const { modelFacts, modelLines } = await import("../describe-model.ts");
        const facts = modelFacts(decoded.model, file);
        return print(facts, () => modelLines(page, shown(path), facts));
      }
      case "unknown":
        throw new RapError(
          file.length === 0
            ? `${shown(path)}: the file is empty`
            : `${shown(path)}: neither a program nor a quantized network (it begins with neither "RAPSIMPG" nor "RAPSIMQM")`,
        );
    }
  },
};
