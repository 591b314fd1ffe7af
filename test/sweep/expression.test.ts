// Do small expressions mean what they say, and can they name nothing but numbers?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExpression, type Value } from "../../sweep/expression.ts";

const scope = new Map<string, Value>([
  ["agents", 4],
  ["array.rows", 16],
  ["scaling", "static"],
  ["overlap", true],
]);
const known = new Set([...scope.keys(), "unset"]);
const value = (text: string) => parseExpression(text, known, "space.yaml:3").evaluate(scope);

test.each<[string, Value]>([
  ["4096 / (agents * array.rows)", 64],
  ["2 ** 3 ** 2", 512],
  ["-agents % 3", -1],
  ["7 - 2 - 1", 4],
  ["min(agents, 2, 9) + floor(2.7)", 4],
  ["log2(array.rows) == 4 && !(agents > 4)", true],
  ["scaling == 'static' ? 1 : 2", 1],
  ["overlap || agents / 0 > 1", true],
  ["agents != 4", false],
])("%s is %s", (text, expected) => expect(value(text)).toBe(expected));

describe("refused, with place and rule", () => {
  test.each([
    ["agent * 2", "space.yaml:3: 'agent * 2': agent is not known here; did you mean agents?"],
    ["constructor", "constructor is not known here; known: agents,"],
    ["agents.constructor", "agents.constructor is not known here"],
    ["agents['constructor']", "names are words with dots between"],
    ["__proto__.x", "__proto__.x is not known here"],
    ["this", "only numbers, names"],
    ["[1, 2]", "only numbers, names"],
    ["agents; array.rows", "only numbers, names"],
    ["agents = 5", "not an expression"],
    ["`x`", "not an expression"],
    ["a => a", "not an expression"],
    ["", "only numbers, names"],
    ["eval('1')", "functions are min, max"],
    ["toString()", "functions are min, max"],
    ["min.constructor('1')", "functions are min, max"],
    ["agents & 1", "'&' is not one of +, -"],
    ["+agents", "'+' is not one of"],
    ["min()", "min takes no 0 values"],
    ["null", "null is not a number"],
    ["agents / 0", "Infinity is not a finite number"],
    ["sqrt(-1)", "NaN is not a finite number"],
    ["scaling * 2", '"static" stands where a number is needed'],
    ["agents && true", "4 stands where true or false is needed"],
    ["agents == 'x'", '4 and "x" cannot be compared'],
    ["unset", "unset has no value here"],
    ["1 +".repeat(200), "an expression of 600 characters; at most 500"],
    ["(".repeat(499), "not an expression"],
  ])("%s", (text, message) => expect(() => value(text)).toThrow(message));
});

test("whatever the text, there is a value or one clear refusal", () => {
  const words = fc.constantFrom(
    ..."agents array rows . ( ) [ ] { } , ; ? : + - * / % ** < >= == && || ! 1 2.5 1e9 'x' __proto__ this new min sqrt `".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
      try {
        expect(["number", "boolean", "string"]).toContain(typeof value(parts.join(" ")));
      } catch (error) {
        expect((error as Error).name).toBe("RapError");
      }
    }),
    { numRuns: 2000 },
  );
});
