/** The YAML parser, loaded when it is first needed: programs and most commands do without. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const yaml = (): typeof import("yaml") => require("yaml");
