/** One command line run in this process, its streams captured. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../cli/cli.ts";
import type { Io, Output } from "../../cli/io.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Keeps what is written; or fails as a broken stream does. */
export class CapturedOutput implements Output {
  readonly isTTY: boolean | undefined;
  readonly columns: number | undefined;
  private readonly chunks: Uint8Array[] = [];

  constructor(
    private readonly options: { readonly isTTY?: boolean; readonly columns?: number; readonly error?: string } = {},
  ) {
    this.isTTY = options.isTTY;
    this.columns = options.columns;
  }

  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    const { error } = this.options;
    if (error === undefined) this.chunks.push(Buffer.from(chunk));
    queueMicrotask(() => done?.(error === undefined ? null : Object.assign(new Error(error), { code: error })));
    return true;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return Buffer.from(this.bytes).toString("utf8");
  }
}

export async function rapsim(argv: readonly string[], given: Partial<Io> = {}): Promise<Outcome> {
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
  const code = await main(argv, { stdout, stderr, env: {}, ...given });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A folder for one test file's files, and its removal. */
export function temporaryFolder(): { readonly path: (name: string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "rapsim-cli-"));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
