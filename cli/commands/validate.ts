/** `rapsim validate`: runs the checks of this installation and prints what was claimed, what decided it, and how far off it is. */
import { listNames, RapError } from "../../isa/errors.ts";
import type { Row } from "../../test/conformance/index.ts";
import type { Command } from "../command.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { flag, flagOf } from "../options.ts";

export const validate: Command = {
  name: "validate",
  describe: "Check this installation: arithmetic, array cycles, laws and energy, claim by claim",
  positional: { name: "check", required: false, describe: "run only the check of this name" },
  options: {
    quick: flag("leave out what takes more than seconds"),
    json: flag("as JSON"),
  },
  examples: [
    ["rapsim validate", "half a minute; exit code 1 if a claim fails"],
    ["rapsim validate scalesim-random", "one check"],
    ["RAPSIM_SHARED=../shared rapsim validate", "with the peers' figures beside the repository"],
  ],
  async run(args, { io, log, progress }) {
    const { CHECKS, ELSEWHERE, Lab, runCheck } = await import("../../test/conformance/index.ts");
    const only = args.check as string | undefined;
    const chosen = CHECKS.filter(({ id }) => only === undefined || id === only);
    if (chosen.length === 0) {
      throw new RapError(`check '${only}': no such check; known: ${listNames(CHECKS.map(({ id }) => id))}`);
    }
    const lab = new Lab(io.env.RAPSIM_SHARED);
    const report = progress.stage("validate");
    const rows: Row[] = [];
    for (const check of chosen) {
      const start = performance.now();
      const row = runCheck(check, lab, flagOf(args, "quick"));
      log.info({ check: row.id, status: row.status, milliseconds: Math.round(performance.now() - start) }, "checked");
      rows.push(row);
      report(rows.length / chosen.length);
      // the bar is drawn between checks
      await new Promise(setImmediate);
    }
    progress.stop();
    const elsewhere = only === undefined ? ELSEWHERE : [];
    if (flagOf(args, "json")) {
      await write(
        io.stdout,
        `${JSON.stringify({ schema: "rapsim.validation/1", checks: rows, elsewhere }, null, 2)}\n`,
      );
    } else {
      const { createPage } = await import("../../report/page.ts");
      const { validationLines } = await import("../describe-validation.ts");
      const page = createPage({ color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) });
      await write(io.stdout, `${validationLines(page, rows, elsewhere).join("\n")}\n`);
    }
    const failed = rows.filter(({ status }) => status === "fail").map(({ id }) => id);
    if (failed.length > 0) throw new RapError(`${failed.length} of ${rows.length} claims fail: ${failed.join(", ")}`);
  },
};
