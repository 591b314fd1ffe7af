/** Does every import keep to docs/architecture.md? */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const packages = Object.keys(
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object }).dependencies,
);

/** What one folder may import; `typesOnly`: folders of which only types. */
interface Permission {
  readonly folders: ReadonlySet<string> | "all";
  readonly typesOnly: ReadonlySet<string>;
}

/** The table of docs/architecture.md. */
function readPermissions(page: string): Map<string, Permission> {
  const rows = page.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    return line.startsWith("| ") && cells.length === 6 ? [cells.slice(1, 5)] : [];
  });
  return new Map(
    rows.slice(1).map(([folder, , , allowed]): [string, Permission] => {
      if (allowed === "all") return [folder, { folders: "all", typesOnly: new Set() }];
      const items = allowed === "nothing of ours" ? [] : allowed.split(", ");
      const typesOnly = items.filter((item) => item.endsWith(" (types)")).map((item) => item.split(" ")[0]);
      return [folder, { folders: new Set(items.map((item) => item.split(" ")[0])), typesOnly: new Set(typesOnly) }];
    }),
  );
}

const permissions = readPermissions(readFileSync(join(root, "docs/architecture.md"), "utf8"));
const PRODUCT = ["isa", "kernels", "compiler", "sim", "report", "host", "sweep", "cli"];
const AROUND = ["bench", "test", "docs"];
/** Parts of test that go into the package. */
const SHIPPED = ["test/conformance", "test/reference"];

/** The row of the table a file belongs to. @param file path from the root, with slashes */
function folderOf(file: string): string {
  const shipped = SHIPPED.find((folder) => file.startsWith(`${folder}/`) && !file.endsWith(".test.ts"));
  return shipped ?? file.split("/")[0];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Every import, re-export, dynamic import and import type of a file. */
function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const { moduleSpecifier } = node;
      if (moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier))
        found.push({ specifier: moduleSpecifier.text, typeOnly: isTypeOnly(node) });
    } else if (ts.isImportTypeNode(node)) {
      const { argument } = node;
      if (ts.isLiteralTypeNode(argument) && ts.isStringLiteral(argument.literal))
        found.push({ specifier: argument.literal.text, typeOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument))
        found.push({ specifier: argument.text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest));
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

/** What is wrong with an import of a file, or null. @param file path from the root, with slashes */
function fault(file: string, { specifier, typeOnly }: Import): string | null {
  const folder = folderOf(file);
  if (!specifier.startsWith(".")) {
    if (AROUND.includes(folder) || isBuiltin(specifier)) return null;
    const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1);
    return packages.includes(name.join("/")) ? null : `${file}: '${specifier}' is not under dependencies`;
  }
  const target = posix.join(dirname(file), specifier);
  const targetFolder = folderOf(target);
  if (targetFolder === folder) return null;
  if (file === "index.ts")
    return PRODUCT.includes(targetFolder) && targetFolder !== "cli"
      ? null
      : `${file}: '${specifier}' is not for the library`;
  const permission = permissions.get(folder);
  if (permission === undefined) return `${file}: folder '${folder}' is not in docs/architecture.md`;
  if (AROUND.includes(folder)) return null;
  if (targetFolder === "cli" || ![...PRODUCT, ...SHIPPED].includes(targetFolder))
    return `${file}: '${specifier}': nothing imports that`;
  if (permission.folders !== "all" && !permission.folders.has(targetFolder))
    return `${file}: '${specifier}': ${folder} may not import ${targetFolder}`;
  if (permission.typesOnly.has(targetFolder) && !typeOnly)
    return `${file}: '${specifier}': ${folder} may import only types of ${targetFolder}`;
  return null;
}

function sourceFiles(): string[] {
  // a folder without a file yet is not in a clone
  const files = [...PRODUCT, ...AROUND]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")),
    );
  return [...files, "index.ts"];
}

describe("docs/architecture.md", () => {
  it("says of every folder what it may import", () => {
    expect([...permissions.keys()].sort()).toEqual([...PRODUCT, ...AROUND, ...SHIPPED].sort());
    expect(permissions.get("isa")?.folders).toEqual(new Set());
    expect(permissions.get("report")).toEqual({ folders: new Set(["isa", "sim"]), typesOnly: new Set(["sim"]) });
  });

  it("is kept by every import", () => {
    const faults = sourceFiles().flatMap((file) =>
      importsOf(readFileSync(join(root, file), "utf8")).flatMap((found) => fault(file, found) ?? []),
    );
    expect(faults).toEqual([]);
  });
});

describe("a forbidden import", () => {
  it.each([
    ["isa/a.ts", 'import { x } from "../sim/index.ts";', "isa may not import sim"],
    ["sim/deep/a.ts", 'import "../../compiler/index.ts";', "sim may not import compiler"],
    ["compiler/a.ts", 'export * from "../sim/index.ts";', "compiler may not import sim"],
    ["kernels/a.ts", 'const x = await import("../compiler/index.ts");', "kernels may not import compiler"],
    ["isa/a.ts", 'let x: import("../sim/index.ts").X;', "isa may not import sim"],
    ["report/a.ts", 'import { type A, b } from "../sim/index.ts";', "report may import only types of sim"],
    ["sweep/a.ts", 'import { x } from "../cli/main.ts";', "nothing imports that"],
    ["cli/a.ts", 'import { x } from "../test/programs/index.ts";', "nothing imports that"],
    ["host/a.ts", 'import { x } from "../index.ts";', "nothing imports that"],
    ["index.ts", 'export * from "./cli/main.ts";', "is not for the library"],
    ["sim/a.ts", 'import fc from "fast-check";', "'fast-check' is not under dependencies"],
    ["test/reference/a.ts", 'import { clamp } from "../../isa/index.ts";', "test/reference may not import isa"],
    ["sim/a.ts", 'import { CHECKS } from "../test/conformance/index.ts";', "sim may not import test/conformance"],
    ["test/conformance/a.ts", 'import { main } from "../../cli/cli.ts";', "nothing imports that"],
    ["test/conformance/a.ts", 'import fc from "fast-check";', "'fast-check' is not under dependencies"],
    ["attic/a.ts", 'import { clamp } from "../isa/index.ts";', "folder 'attic' is not in docs/architecture.md"],
  ])("%s: %s", (file, text, message) => {
    expect(importsOf(text).map((found) => fault(file, found))[0]).toContain(message);
  });

  it.each([
    ["report/a.ts", 'import type { A } from "../sim/index.ts";'],
    ["report/a.ts", 'import { type A } from "../sim/index.ts"; import { b } from "../isa/index.ts";'],
    ["cli/a.ts", 'import yargs from "yargs/helpers"; import { b } from "../sweep/index.ts"; import "node:fs";'],
    ["host/a.ts", 'import { createCanvas } from "@napi-rs/canvas";'],
    ["test/reference/a.ts", 'import { x } from "./b.ts";'],
    ["test/conformance/a.test.ts", 'import { x } from "../../cli/main.ts"; import ts from "typescript";'],
    ["cli/a.ts", 'import { CHECKS } from "../test/conformance/index.ts";'],
    ["test/a.ts", 'import { x } from "../cli/main.ts"; import ts from "typescript";'],
    ["docs/a.ts", 'import { x } from "../isa/index.ts";'],
  ])("is not %s: %s", (file, text) => {
    expect(importsOf(text).map((found) => fault(file, found))).not.toContainEqual(expect.any(String));
  });
});
