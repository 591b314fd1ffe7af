// Does every claim hold, and does docs/validation.md say what was measured?
import { describe, expect, test } from "vitest";
import { checksPart, elsewherePart, expectPart } from "../support/validation-page.ts";
import { CHECKS, errorText, Lab, type Row, runCheck, type Unit } from "./index.ts";

describe("checks", () => {
  const lab = new Lab(process.env.RAPSIM_SHARED);
  const rows: Row[] = [];

  // a busy machine takes several times the usual seconds
  test.each(CHECKS.map((check) => [check.id, check] as const))("%s", { timeout: 300_000 }, (_, check) => {
    const row = runCheck(check, lab, false);
    rows.push(row);
    expect(row.status, row.detail).not.toBe("fail");
  });

  test("are what docs/validation.md says", () => {
    expectPart("checks", checksPart(rows));
    expectPart("elsewhere", elsewherePart());
  });
});

test("names are unique", () => expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length));

describe("a row", () => {
  const check = { id: "x", claim: "c", against: "a", run: () => ({ error: 5, detail: "d" }) } as const;
  const lab = new Lab("/nowhere");

  test.each([
    [{ unit: "percent", most: 5 } as const, "pass"],
    [{ unit: "percent", most: 4.9 } as const, "fail"],
    [null, "stated"],
  ])("allowed %j: %s", (allowed, status) => {
    expect(runCheck({ ...check, allowed }, lab, false).status).toBe(status);
  });

  test("no number is no pass", () => {
    const broken = { ...check, allowed: { unit: "percent", most: 5 }, run: () => ({ error: Number.NaN, detail: "" }) };
    expect(runCheck(broken as never, lab, false).status).toBe("fail");
  });

  test("is skipped with a reason", () => {
    const allowed = { unit: "factor", most: 2 } as const;
    expect(runCheck({ ...check, allowed, slow: true }, lab, true)).toMatchObject({
      status: "skipped",
      detail: "left out by --quick",
    });
    expect(runCheck({ ...check, allowed, needsPeers: true }, lab, false).detail).toContain("set RAPSIM_SHARED");
  });

  test.each([
    [0, "differences", "0"],
    [2.345, "percent", "2.3 %"],
    [10, "factor", "10x"],
    [null, "factor", "-"],
  ] as [number | null, Unit, string][])("%s %s is %s", (value, unit, text) =>
    expect(errorText(value, unit)).toBe(text),
  );
});
