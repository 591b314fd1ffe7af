/** Settings that follow from others, in an order in which each finds what it follows from. */
import { RapError } from "../isa/index.ts";
import type { Expression } from "./expression.ts";

export interface Derived {
  readonly name: string;
  readonly expression: Expression;
}

/** As they are given, but each behind those it names. @throws RapError naming a circle */
export function inOrder(given: readonly Derived[]): Derived[] {
  const ordered = new Set<Derived>();
  const visit = (one: Derived, above: readonly Derived[]): void => {
    if (ordered.has(one)) return;
    const at = above.indexOf(one);
    if (at >= 0) {
      const circle = [...above.slice(at), one].map(({ name }) => name).join(" <- ");
      throw new RapError(
        `${one.expression.place}: ${one.name} follows from itself: ${circle}; give one of them a value under settings or axes`,
      );
    }
    for (const other of given) if (one.expression.names.has(other.name)) visit(other, [...above, one]);
    ordered.add(one);
  };
  for (const one of given) visit(one, []);
  return [...ordered];
}
