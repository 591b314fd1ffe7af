/**
 * The files of dist/bin, run from what V8 made of them at the build (`.cache` beside each): compiling them anew would take longer than
 * most commands. What another Node has made is not used.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";

/** What a file finds around it; import() itself does not work in a script that comes from the cache. */
const PARAMETERS = "exports, require, module, __filename, __dirname, importPackage";
type Wrapper = (
  exports: object,
  require: (id: string) => unknown,
  module: { exports: object },
  file: string,
  folder: string,
  importPackage: (id: string) => Promise<unknown>,
) => void;

/**
 * How long V8 waits before it optimizes a function, by its major version (of Node 20, 22 and 24): the flag, V8's figure, and ours. To
 * optimize what runs within a command's first second costs more than it saves. Another V8 keeps its figure.
 */
const TIERING: Readonly<Record<string, readonly [flag: string, usual: number, patient: number]>> = {
  11: ["--interrupt-budget", 67_584, 1_351_680],
  12: ["--invocation-count-for-turbofan", 3000, 30_000],
  13: ["--invocation-count-for-turbofan", 3000, 30_000],
};

function setTiering(figure: "usual" | "patient"): void {
  const tiering = TIERING[process.versions.v8.split(".")[0]];
  if (tiering === undefined) return;
  const [flag, usual, patient] = tiering;
  setFlagsFromString(`${flag}=${figure === "usual" ? usual : patient}`);
}

export class Bundle {
  /** Files that are being loaded, each by the one before it. */
  private loading = 0;
  private readonly modules = new Map<string, { exports: object }>();
  private readonly scripts = new Map<string, Script>();

  constructor(private readonly folder: string) {}

  /** Runs one file, as `require` does. @returns its exports */
  load(name: string): object {
    const known = this.modules.get(name);
    if (known !== undefined) return known.exports;
    // V8 refuses what was made under other flags: our caches, and those of Node's own modules
    if (this.loading++ === 0) setTiering("usual");
    try {
      return this.run(name);
    } finally {
      if (--this.loading === 0) setTiering("patient");
    }
  }

  private run(name: string): object {
    const file = join(this.folder, name);
    const source = readFileSync(file);
    const code = `(function (${PARAMETERS}) {${source}\n})`;
    const cachedData = readCache(file, source);
    const script = new Script(code, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
    const module = { exports: {} };
    this.modules.set(name, module);
    this.scripts.set(name, script);
    const require = createRequire(file);
    const requireHere = (id: string) => (id.startsWith("./") ? this.load(id.slice(2)) : require(id));
    const wrapper = script.runInThisContext() as Wrapper;
    wrapper(module.exports, requireHere, module, file, this.folder, (id) => import(id));
    return module.exports;
  }

  /** Keeps what V8 has made so far of the files that were loaded: the functions that have run. */
  writeCaches(): void {
    setTiering("usual");
    for (const [name, script] of this.scripts) {
      const file = join(this.folder, name);
      const cachedData = script.createCachedData();
      writeFileSync(cacheOf(file), Buffer.concat([cachedData, sealOf(cachedData, readFileSync(file))]));
    }
  }
}

const cacheOf = (file: string) => `${file}.cache`;

/** V8 trusts what it is given, and compares no more than the length of the source that was made from. */
function sealOf(cachedData: Uint8Array, source: Uint8Array): Buffer {
  const seal = Buffer.alloc(SEAL_BYTES);
  seal.writeUInt32LE(crc32(cachedData, crc32(source, crc32(NODE))));
  return seal;
}

const SEAL_BYTES = 4;
const NODE = `${process.version} ${process.arch}`;

function readCache(file: string, source: Uint8Array): Uint8Array | undefined {
  try {
    const sealed = readFileSync(cacheOf(file));
    const cachedData = sealed.subarray(0, -SEAL_BYTES);
    return sealed.subarray(-SEAL_BYTES).equals(sealOf(cachedData, source)) ? cachedData : undefined;
  } catch {
    return undefined;
  }
}
