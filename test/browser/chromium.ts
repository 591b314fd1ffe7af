/** Debian's Chromium, without a window and without a network. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const executablePath = [process.env.CHROMIUM, ...PLACES].find((path) => path !== undefined && existsSync(path));

/** Why tests that need a browser are skipped; null: there is one. */
export const NO_BROWSER =
  executablePath === undefined
    ? `no Chromium in ${PLACES.join(", ")}: apt-get install -y chromium, or set CHROMIUM`
    : null;

/** A test's name; it says why the test is skipped. */
export const browserTest = (name: string) => (NO_BROWSER === null ? name : `${name} (skipped: ${NO_BROWSER})`);

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
}
