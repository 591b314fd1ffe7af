/** Text as part of SVG and HTML. */

/** No markup, no control characters, nothing that turns the direction of the text around it. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "?")
    .replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

/** A coordinate with as many digits as pixels need. */
export const coordinate = (value: number) => String(Math.round(value * 100) / 100);
