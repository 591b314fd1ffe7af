// Does every kind of failure get its exit code and its words?
import { expect, test } from "vitest";
import { describeFailure } from "../../cli/errors.ts";
import { ClosedPipe } from "../../cli/io.ts";
import { RapError, UsageError } from "../../isa/index.ts";

test("what the user can mend: the message alone", () => {
  expect(describeFailure(new RapError("a.bin: damaged"), "run")).toEqual({ exitCode: 1, message: "a.bin: damaged" });
});

test("wrong usage: the message and where to read more", () => {
  const message = "--frames: 0\nsee rapsim run --help";
  expect(describeFailure(new UsageError("--frames: 0"), "run")).toEqual({ exitCode: 2, message });
  expect(describeFailure(new UsageError("x"), undefined).message).toBe("x\nsee rapsim --help");
});

test.each([
  ["an error", new TypeError("x is not a function"), "TypeError: x is not a function\n    at "],
  ["not even an error", "oops", "oops"],
])("our bug, %s: the stack and a request to report it", (_name, error, begins) => {
  const { exitCode, message } = describeFailure(error, "run");
  expect(exitCode).toBe(70);
  expect(message.startsWith(begins)).toBe(true);
  expect(message).toMatch(/This is a bug in rapsim\. Please report it/);
});

test("memory that cannot be had is not our bug", () => {
  const { exitCode, message } = describeFailure(
    new RangeError("WebAssembly.Memory(): could not allocate memory"),
    "run",
  );
  expect(exitCode).toBe(1);
  expect(message).toMatch(/^not enough memory/);
  expect(describeFailure(new RangeError("Invalid array length"), "run").exitCode).toBe(70);
});

test("a closed pipe: nothing", () => {
  expect(describeFailure(new ClosedPipe(), "run")).toEqual({ exitCode: 0, message: "" });
});
