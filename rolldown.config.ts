/**
 * The command line as a few files in dist/bin: Node takes about a millisecond to load a module, and there are hundreds. The
 * library, the threads and the tests take the modules one by one from dist.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { defineConfig, type Plugin } from "rolldown";

const root = import.meta.dirname;
/** Loaded by nearly every command, and of many modules; other packages stay where they are. */
const INLINED = ["fastest-levenshtein", "yargs", "zod"];
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
const external = Object.keys(dependencies).filter((name) => !INLINED.includes(name));

/** What a module finds beside itself (presets, .wasm, threads) stays beside its own place in dist. */
const moduleUrls: Plugin = {
  name: "module-urls",
  transform(code, id) {
    const place = relative(root, id).split(sep).join("/");
    if (place.startsWith("node_modules/") || !code.includes("import.meta.url")) return null;
    const url = `new URL("../${place.replace(/\.ts$/, ".js")}", import.meta.url).href`;
    return { code: code.replaceAll("import.meta.url", url), map: null };
  },
};

/** The licences of the packages that are part of the files. */
const licences: Plugin = {
  name: "licences",
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
    const packages = new Set(modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []));
    const texts = [...packages].sort().map((folder) => {
      const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
      if (file === undefined) throw new Error(`${folder}: no licence file`);
      return `${relative(root, folder)}\n\n${readFileSync(join(folder, file), "utf8")}`;
    });
    this.emitFile({ type: "asset", fileName: "LICENCES.txt", source: texts.join(`\n${"-".repeat(80)}\n\n`) });
  },
};

/** Scripts, which V8 keeps what it has made of; `cli/bundle.ts` gives them what they import packages by. */
const scripts: Plugin = {
  name: "scripts",
  renderChunk: (code) => code.replaceAll("await import(", "await importPackage("),
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "package.json", source: '{ "type": "commonjs" }\n' });
  },
};

export default defineConfig({
  input: { rapsim: "cli/start.ts", main: "cli/main.ts", "warm-up": "cli/warm-up.ts" },
  platform: "node",
  external: external.map((name) => new RegExp(`^${name}(/|$)`)),
  plugins: [moduleUrls, licences, scripts],
  output: { dir: "dist/bin", format: "cjs", chunkFileNames: "[name].js", cleanDir: true },
});
