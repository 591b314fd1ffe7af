// Does a sweep that is killed at any moment go on, to the same file, without losing or repeating a row?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../compiler/random.ts";
import { temporaryFolder } from "../cli/harness.ts";
import { lineCount, NO_BUILD, pause, start, until } from "../support/sweep-process.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

/** 20 programs, 12 rates of each. */
const SPACE = `name: t
settings: { network: tiny }
axes:
  agents: [1, 2, 3, 4, 5]
  array.rows: [4, 8, 16, 32]
  dram.bytesPerCycle: { from: 1, to: 12, step: 1 }
`;
const POINTS = 240;
const KILLS = 20;
const whole = path("whole");
const argv = (folder: string) => ["sweep", path("space.yaml"), "-o", folder, "--workers", "2"];
const results = (folder: string) => readFileSync(`${folder}/results.jsonl`, "utf8");

describe.skipIf(NO_BUILD !== null)(`killed${NO_BUILD === null ? "" : ` (skipped: ${NO_BUILD})`}`, () => {
  beforeAll(async () => {
    writeFileSync(path("space.yaml"), SPACE);
    expect(await start(argv(whole)).ended).toEqual({ code: 0, stderr: "" });
    expect(lineCount(`${whole}/results.jsonl`)).toBe(POINTS);
  });

  test(`${KILLS} times at random moments: the file of the sweep that was left alone`, async () => {
    const random = new Random(20);
    let folder = "";
    const rows = () => lineCount(`${folder}/results.jsonl`);
    const finish = async () => {
      expect(await start([...argv(folder), "--resume"]).ended).toEqual({ code: 0, stderr: "" });
      for (const file of ["results.jsonl", "results.csv", "report.html"]) {
        expect(readFileSync(`${folder}/${file}`, "utf8")).toBe(readFileSync(`${whole}/${file}`, "utf8"));
      }
    };
    for (let kill = 0; kill < KILLS; kill++) {
      // a sweep that has come half way is left to end, so that the next kill meets one at work on any machine
      if (rows() > POINTS / 2) await finish();
      if (kill === 0 || rows() > POINTS / 2) folder = path(`killed${kill}`);
      const before = rows();
      const running = start([...argv(folder), "--resume"]);
      // every fourth one is met before its first row, the others a random way into a twentieth of the points
      const more = kill % 4 === 0 ? 0 : random.integer(1, 0.9 * (POINTS / KILLS));
      await until(() => rows() >= before + more, "rows");
      await pause(random.uniform() * 60);
      running.process.kill("SIGKILL");
      // killed at work, not after its end
      expect((await running.ended).code).toBe(null);
    }
    await finish();
  });

  test("a second one in the folder of a running one is refused, and disturbs it not", async () => {
    const folder = path("shared");
    const first = start(argv(folder));
    await until(() => lineCount(`${folder}/results.jsonl`) > 0, "rows");
    // it has not come to its end before the others have tried
    first.process.kill("SIGSTOP");
    for (const more of [[], ["--resume"], ["--best"]]) {
      expect(await start([...argv(folder), ...more]).ended).toEqual({
        code: 1,
        stderr: expect.stringMatching(
          new RegExp(`^${folder}: in use by another rapsim sweep, process ${first.process.pid} on .*; wait for it`),
        ),
      });
    }
    first.process.kill("SIGCONT");
    expect(await first.ended).toEqual({ code: 0, stderr: "" });
    expect(results(folder)).toBe(results(whole));
  });

  test.each(["1", "3"])("%s workers: the same file", async (workers) => {
    const folder = path(`workers${workers}`);
    expect((await start([...argv(folder).slice(0, -1), workers]).ended).code).toBe(0);
    expect(results(folder)).toBe(results(whole));
  });
});
