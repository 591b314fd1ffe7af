// Are the published schemas those that the code reads by? If not: npm run docs.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { rowSchema, spaceSchema } from "../../sweep/index.ts";

test.each([
  ["sweep-space.schema.json", spaceSchema],
  ["sweep-row.schema.json", rowSchema],
])("docs/%s", (file, schema) => {
  const place = new URL(`../../docs/${file}`, import.meta.url);
  const fresh: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: "input" })));
  if (process.env.UPDATE_DOCS) writeFileSync(place, `${JSON.stringify(fresh, null, 2)}\n`);
  // the file is laid out by the formatter
  expect(JSON.parse(readFileSync(place, "utf8"))).toEqual(fresh);
});
