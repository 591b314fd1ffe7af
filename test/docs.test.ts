/** Are the pages what the code says? Generated parts are fresh, links lead somewhere, the tutorial's program is the tested one. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { RAPQ_KIND } from "../compiler/rapq.ts";
import { GENERATED, withGenerated } from "../docs/generate.ts";
import { assemble, checkProgram, disassemble, encodeProgram, PROGRAM_KIND } from "../isa/index.ts";
import { loadProgram } from "./programs/index.ts";

const folder = fileURLToPath(new URL("../docs/", import.meta.url));
const read = (page: string) => readFileSync(`${folder}${page}`, "utf8");

describe("generated parts", () => {
  it.each(Object.keys(GENERATED))("of %s are up to date; if not: npm run docs", (page) => {
    const fresh = withGenerated(page, read(page));
    if (process.env.UPDATE_DOCS) writeFileSync(`${folder}${page}`, fresh);
    expect(read(page)).toBe(fresh);
  });

  it("are found stale when a line differs", () => {
    const text = read("isa.md").replace("| 0 | `halt` |", "| 1 | `halt` |");
    expect(withGenerated("isa.md", text)).not.toBe(text);
    expect(() => withGenerated("isa.md", "nothing here")).toThrow("docs/isa.md holds the parts");
  });
});

describe("links", () => {
  it.each(readdirSync(folder).filter((page) => page.endsWith(".md")))("of %s lead to files that exist", (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target);
    const broken = targets.filter(
      (target) => !/^https?:/.test(target) && !existsSync(new URL(target, `file://${folder}`)),
    );
    expect(broken).toEqual([]);
  });
});

/** The text of a page's fenced blocks of one language. */
function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text);
}

describe("examples", () => {
  it("of the tutorial, one after the other, are the program tiny.s", () => {
    const program = assemble(blocks("tutorial.md", "asm").join("\n"), "tiny.s");
    expect(() => checkProgram(program, "tiny.s")).not.toThrow();
    const { provenance } = loadProgram("tiny");
    expect(Buffer.from(encodeProgram({ ...program, provenance })).equals(encodeProgram(loadProgram("tiny")))).toBe(
      true,
    );
  });

  it("of isa.md assemble, pass the check, and are printed again as they stand", () => {
    const examples = blocks("isa.md", "asm");
    expect(examples.length).toBeGreaterThan(0);
    for (const text of examples) {
      const program = assemble(text, "example.s");
      expect(() => checkProgram(program, "example.s")).not.toThrow();
      expect(encodeProgram(assemble(disassemble(program), "example.s"))).toEqual(encodeProgram(program));
    }
  });

  it("of errors are the messages users get", () => {
    for (const [, line, message] of read("isa.md").matchAll(/^- `([^`]+)` -> `([^`]+)`$/gm)) {
      const text = `.tensor in 8x8x3 i8 input\n.tensor out 8x8x3 i8 output\n.semaphore loaded load -> mac\n${line}`;
      expect(() => assemble(text, "net.s")).toThrow(message);
    }
  });
});

describe("file-formats.md", () => {
  it("describes every section of both kinds of file, in order", () => {
    const tags = [...read("file-formats.md").matchAll(/^\| ([A-Z]{4}) \|/gm)].map(([, tag]) => tag);
    expect(tags).toEqual([...PROGRAM_KIND.tags, ...RAPQ_KIND.tags]);
  });
});
