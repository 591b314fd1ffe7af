// Does one process at a time have a folder, and does nobody have to clean up after a dead one?
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { whileLocked } from "../../cli/folder-lock.ts";
import { CapturedOutput, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);
const io = { stdout: new CapturedOutput(), stderr: new CapturedOutput(), env: {} };
const locked = <T>(folder: string, work: () => Promise<T>) => whileLocked(folder, "rapsim sweep", io, work);

let serial = 0;
function newFolder(): string {
  const folder = path(`folder${serial++}`);
  mkdirSync(folder);
  return folder;
}

type Holder = Record<string, unknown>;

/** A folder with the lock of this process, changed. */
async function folderHeldBy(changes: Holder): Promise<string> {
  const folder = newFolder();
  let text = "";
  await locked(folder, async () => {
    text = readFileSync(join(folder, readdirSync(folder)[0]), "utf8");
  });
  const holder = { ...(JSON.parse(text) as Holder), ...changes };
  writeFileSync(join(folder, "lock-00000000-0000-4000-8000-000000000000.json"), JSON.stringify(holder));
  return folder;
}
const work = async () => "done";

test("held while the work goes on; released after it and after its failure", async () => {
  const folder = newFolder();
  const message = new RegExp(
    `^${folder}: in use by another rapsim sweep, process ${process.pid} on .+, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC; wait for it, or end it and go on with --resume, or give another folder with -o$`,
  );
  await locked(folder, () => expect(locked(folder, work)).rejects.toThrow(message));
  await expect(locked(folder, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await locked(folder, work)).toBe("done");
  expect(readdirSync(folder)).toEqual([]);
});

test("of many that come at the same moment, never two have it", async () => {
  for (let round = 0; round < 10; round++) {
    const folder = newFolder();
    let holders = 0;
    await Promise.allSettled(
      Array.from({ length: 6 }, () =>
        locked(folder, async () => {
          expect(++holders).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 5));
          holders--;
        }),
      ),
    ).then((all) => {
      const broken = all.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
      for (const why of broken) expect(why).toContain("in use by another");
    });
    expect(readdirSync(folder)).toEqual([]);
  }
});

describe("the dead hold nothing", () => {
  const ended = spawnSync(process.execPath, ["--version"]).pid;
  test.each<[string, Holder]>([
    ["an ended process", { pid: ended }],
    ...(existsSync("/proc/self/stat")
      ? ([
          ["a process whose number another has by now", { startTicks: "1" }],
          ["a process from before the system was started anew", { boot: "0" }],
        ] as [string, Holder][])
      : []),
  ])("%s", async (_name, changes) => {
    const folder = await folderHeldBy(changes);
    expect(await locked(folder, work)).toBe("done");
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(!existsSync("/proc/self/stat"))("a killed process that its parent has not asked after", async () => {
    // the shell becomes sleep, which asks after no child: one killed after that stays a zombie
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    const [pid] = (await once(parent.stdout, "data")).map(Number);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    while (readFileSync(`/proc/${parent.pid}/comm`, "latin1") !== "sleep\n") await pause();
    process.kill(pid, "SIGKILL");
    const stat = () => readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
    while (stat()[0] !== "Z") await pause();
    const folder = await folderHeldBy({ pid, startTicks: stat()[19] });
    expect(await locked(folder, work)).toBe("done");
    parent.kill("SIGKILL");
  });
});

describe("of whom nothing can be known, the file to remove is named", () => {
  test.each<[string, Holder]>([
    ["another host", { host: "node7" }],
    ["a container of this host", { pidNamespace: "pid:[1]" }],
  ])("%s", async (_name, changes) => {
    const folder = await folderHeldBy(changes);
    await expect(locked(folder, work)).rejects.toThrow(
      /; whether that one still runs cannot be seen from here: if not, remove .*lock-.*\.json and go on with --resume$/,
    );
  });

  test("a file that is damaged", async () => {
    const folder = await folderHeldBy({ pid: 0 });
    await expect(locked(folder, work)).rejects.toThrow(
      /may be in use by another rapsim sweep: .*lock-.*\.json cannot be read; if none runs, remove that file/,
    );
  });
});
