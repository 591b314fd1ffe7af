// Do stored weights come back as the numbers they were?
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { halfToNumber, storedParameters } from "../../compiler/parameters.ts";

test.each([
  [0x0000, 0],
  [0x0001, 2 ** -24], // smallest
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14], // smallest with a leading one
  [0x3555, 0.333251953125],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65504], // largest
])("0x%s is %d", (half, value) => expect(halfToNumber(half)).toBe(value));

test("are handed out in order, and no more than there are", () => {
  const folder = mkdtempSync(join(tmpdir(), "rapsim-parameters-"));
  try {
    const file = join(folder, "net.f16");
    writeFileSync(file, Uint8Array.of(0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38));
    const parameters = storedParameters(pathToFileURL(file));
    expect([...parameters.weights(2, 1)]).toEqual([1, -2]);
    expect([...parameters.bias(1)]).toEqual([0.5]);
    expect(() => parameters.bias(1)).toThrow("3 numbers; the network takes more");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
