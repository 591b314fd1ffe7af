/** Debian's Chromium, without a window and without a network. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

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

/** A page without a network, and everything it should not have done. */
export async function openOffline(
  browser: Browser,
  file: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<{ readonly page: Page; readonly faults: readonly string[] }> {
  const page = await (await browser.newContext({ offline: true, ...options })).newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", (dialog) => {
    faults.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    // a picture within the page is none
    if (request.url() !== pathToFileURL(file).href && !request.url().startsWith("data:")) {
      faults.push(`request of ${request.url()}`);
    }
  });
  await page.goto(pathToFileURL(file).href);
  return { page, faults };
}

/** How many colours a canvas shows. */
export function colorsOf(page: Page, canvas: string): Promise<number> {
  return page.evaluate(
    `(() => { const c = document.querySelector("${canvas}"); return new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size; })()`,
  );
}
