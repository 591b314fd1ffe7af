/**
 * Small expressions over named values: `4096 / (agents * array.rows)`. jsep parses and runs nothing; what is evaluated here is
 * a closed list of operators and functions over a closed list of names, so a text can name nothing else.
 */
import { closest, distance } from "fastest-levenshtein";
import jsep from "jsep";
import { listNames, RapError } from "../isa/index.ts";

export type Value = number | boolean | string;
export type Scope = ReadonlyMap<string, Value>;

export interface Expression {
  readonly text: string;
  /** Line of a file, named in messages. */
  readonly place: string;
  /** What it needs the values of. */
  readonly names: ReadonlySet<string>;
  /** @throws RapError for operands of the wrong kind, and for a result that is no finite number */
  evaluate(scope: Scope): Value;
}

type Evaluate = (scope: Scope) => Value;

const LONGEST_EXPRESSION = 500;

const FUNCTIONS: Readonly<
  Record<string, { readonly least: number; readonly most: number; of(...n: number[]): number }>
> = {
  min: { least: 1, most: 16, of: Math.min },
  max: { least: 1, most: 16, of: Math.max },
  floor: { least: 1, most: 1, of: Math.floor },
  ceil: { least: 1, most: 1, of: Math.ceil },
  round: { least: 1, most: 1, of: Math.round },
  abs: { least: 1, most: 1, of: Math.abs },
  sqrt: { least: 1, most: 1, of: Math.sqrt },
  log2: { least: 1, most: 1, of: Math.log2 },
};

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "**": (a, b) => a ** b,
};
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
const OPERATORS = [...Object.keys(ARITHMETIC), ...Object.keys(COMPARISONS), "==", "!=", "&&", "||", "!", "? :"];

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** @param known names it may use. @throws RapError for what is no expression, or names something else */
export function parseExpression(text: string, known: ReadonlySet<string>, place: string): Expression {
  const fail = (rule: string): never => {
    throw new RapError(`${place}: '${text}': ${rule}`);
  };
  if (text.length > LONGEST_EXPRESSION) {
    throw new RapError(`${place}: an expression of ${text.length} characters; at most ${LONGEST_EXPRESSION}`);
  }
  let tree: jsep.Expression;
  try {
    tree = jsep(text);
  } catch (error) {
    return fail(`not an expression: ${(error as Error).message}`);
  }
  const names = new Set<string>();
  const use = (name: string) => {
    if (!known.has(name)) unknownName(name, known, fail);
    names.add(name);
  };
  const evaluate = compile(tree, use, fail);
  return { text, place, names, evaluate: (scope) => evaluate(scope) };
}

type Fail = (rule: string) => never;
/** Refuses a name that is not known. */
type Use = (name: string) => void;

function compile(node: jsep.Expression, use: Use, fail: Fail): Evaluate {
  const inner = (child: unknown) => compile(child as jsep.Expression, use, fail);
  const number = (child: unknown): ((scope: Scope) => number) => {
    const evaluate = inner(child);
    return (scope) => {
      const value = evaluate(scope);
      return typeof value === "number" ? value : fail(`${JSON.stringify(value)} stands where a number is needed`);
    };
  };
  const truth = (child: unknown): ((scope: Scope) => boolean) => {
    const evaluate = inner(child);
    return (scope) => {
      const value = evaluate(scope);
      return typeof value === "boolean" ? value : fail(`${JSON.stringify(value)} stands where true or false is needed`);
    };
  };
  const finite = (value: number) => (Number.isFinite(value) ? value : fail(`${value} is not a finite number`));
  switch (node.type) {
    case "Literal": {
      const { value } = node as jsep.Literal;
      if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return () => value;
      return fail(`${String(value)} is not a number, a text, true or false`);
    }
    case "Identifier":
    case "MemberExpression": {
      const name = nameOf(node) ?? fail("names are words with dots between, as array.rows");
      use(name);
      return (scope) => scope.get(name) ?? fail(`${name} has no value here; give it one under settings or axes`);
    }
    case "UnaryExpression": {
      const { operator, argument } = node as jsep.UnaryExpression;
      if (operator === "-") {
        const value = number(argument);
        return (scope) => -value(scope);
      }
      if (operator === "!") {
        const value = truth(argument);
        return (scope) => !value(scope);
      }
      return fail(`'${operator}' is not one of ${listNames(OPERATORS)}`);
    }
    case "BinaryExpression":
      return compileBinary(node as jsep.BinaryExpression, { inner, number, truth, finite, fail });
    case "ConditionalExpression": {
      const { test, consequent, alternate } = node as jsep.ConditionalExpression;
      const [isSo, yes, no] = [truth(test), inner(consequent), inner(alternate)];
      return (scope) => (isSo(scope) ? yes(scope) : no(scope));
    }
    case "CallExpression": {
      const { callee, arguments: given } = node as jsep.CallExpression;
      const name = callee.type === "Identifier" ? (callee as jsep.Identifier).name : "";
      const called = own(FUNCTIONS, name) ?? fail(`functions are ${listNames(Object.keys(FUNCTIONS))}`);
      if (given.length < called.least || given.length > called.most) fail(`${name} takes no ${given.length} values`);
      const values = given.map(number);
      return (scope) => finite(called.of(...values.map((value) => value(scope))));
    }
    default:
      return fail(
        `only numbers, names, ${listNames(OPERATORS)} and the functions ${listNames(Object.keys(FUNCTIONS))} are read`,
      );
  }
}

interface Parts {
  readonly inner: (child: unknown) => Evaluate;
  readonly number: (child: unknown) => (scope: Scope) => number;
  readonly truth: (child: unknown) => (scope: Scope) => boolean;
  readonly finite: (value: number) => number;
  readonly fail: Fail;
}

function compileBinary({ operator, left, right }: jsep.BinaryExpression, parts: Parts): Evaluate {
  const { inner, number, truth, finite, fail } = parts;
  const arithmetic = own(ARITHMETIC, operator);
  const comparison = own(COMPARISONS, operator);
  if (arithmetic !== undefined) {
    const [a, b] = [number(left), number(right)];
    return (scope) => finite(arithmetic(a(scope), b(scope)));
  }
  if (comparison !== undefined) {
    const [a, b] = [number(left), number(right)];
    return (scope) => comparison(a(scope), b(scope));
  }
  if (operator === "&&" || operator === "||") {
    const [a, b] = [truth(left), truth(right)];
    return operator === "&&" ? (scope) => a(scope) && b(scope) : (scope) => a(scope) || b(scope);
  }
  if (operator === "==" || operator === "!=") {
    const [a, b] = [inner(left), inner(right)];
    return (scope) => {
      const [x, y] = [a(scope), b(scope)];
      const [kind, other] = [typeof x, typeof y];
      if (kind !== other) fail(`${JSON.stringify(x)} and ${JSON.stringify(y)} cannot be compared`);
      return (x === y) === (operator === "==");
    };
  }
  return fail(`'${operator}' is not one of ${listNames(OPERATORS)}`);
}

/** `array.rows` of the tree that jsep makes of it; null where the tree is something else. */
function nameOf(node: jsep.Expression): string | null {
  if (node.type === "Identifier") return (node as jsep.Identifier).name;
  if (node.type !== "MemberExpression") return null;
  const { computed, object, property, optional } = node as jsep.MemberExpression;
  if (computed || optional) return null;
  const [before, last] = [nameOf(object), nameOf(property)];
  return before === null || last === null ? null : `${before}.${last}`;
}

function unknownName(name: string, known: ReadonlySet<string>, fail: Fail): never {
  const nearest = closest(name, [...known]);
  if (nearest !== undefined && distance(name, nearest) <= name.length / 2) {
    return fail(`${name} is not known here; did you mean ${nearest}?`);
  }
  return fail(`${name} is not known here; known: ${listNames(known)}`);
}
