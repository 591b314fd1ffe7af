/** Assembly text as words that know where they stand, and the few forms words have: numbers, sizes, names. */
import { listNames, RapError } from "../errors.ts";

/** A piece of a line. Every complaint about it begins with `path:line:column`. */
export class Word {
  constructor(
    private readonly path: string,
    readonly line: number,
    readonly column: number,
    readonly text: string,
    /** What the word stands for, `conv.kernel`; named in complaints. */
    private readonly label = "",
  ) {}

  /** The characters from `start` up to `end`, with their own column. */
  part(start: number, end = this.text.length, label = this.label): Word {
    return new Word(this.path, this.line, this.column + start, this.text.slice(start, end), label);
  }

  named(label: string): Word {
    return this.part(0, this.text.length, label);
  }

  /** The parts between the separators that stand outside quotes. */
  split(separator: string): Word[] {
    const parts: Word[] = [];
    let start = 0;
    for (let i = 0; i <= this.text.length; i++) {
      if (this.text[i] === '"') i = endOfQuoted(this.text, i) - 1;
      else if (i === this.text.length || this.text[i] === separator) {
        parts.push(this.part(start, i));
        start = i + 1;
      }
    }
    return parts;
  }

  /** How messages name the place. */
  get place(): string {
    return `${this.path}:${this.line}:${this.column}`;
  }

  fail(message: string): never {
    throw new RapError(`${this.place}: ${this.label === "" ? "" : `${this.label}: `}${message}`);
  }
}

/** Index behind the closing quote of the string that opens at `start`, or behind the last character. */
function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

const SPACES = /\s*/y;
const PLAIN = /[^\s;#"]*/y;

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.exec(text);
  return pattern.lastIndex;
}

/** The words of a line, up to a comment (`;` or `#`). Spaces and comment signs inside double quotes are part of a word. */
export function wordsOf(path: string, line: number, text: string): Word[] {
  const words: Word[] = [];
  for (let at = matchEnd(SPACES, text, 0); at < text.length && text[at] !== ";" && text[at] !== "#"; ) {
    const start = at;
    at = matchEnd(PLAIN, text, at);
    while (text[at] === '"') at = matchEnd(PLAIN, text, endOfQuoted(text, at));
    words.push(new Word(path, line, start + 1, text.slice(start, at)));
    at = matchEnd(SPACES, text, at);
  }
  return words;
}

/** The words of one line, taken one after the other. */
export class WordReader {
  private at = 0;

  /** @param before the word before the first, where a missing one is complained about */
  constructor(
    private readonly before: Word,
    private readonly words: readonly Word[],
    private readonly usage: string,
  ) {}

  /** The next word. @param what named when there is none */
  next(what: string): Word {
    const last = this.words[this.words.length - 1] ?? this.before;
    return this.words[this.at++] ?? last.fail(`${what} is missing; write ${this.usage}`);
  }

  /** The next word, if there is one. */
  optional(): Word | undefined {
    return this.words[this.at++];
  }

  /** Takes the next word if it is this one. */
  take(keyword: string): boolean {
    if (this.words[this.at]?.text !== keyword) return false;
    this.at++;
    return true;
  }

  rest(): readonly Word[] {
    const rest = this.words.slice(this.at);
    this.at = this.words.length;
    return rest;
  }

  end(): void {
    this.words[this.at]?.fail(`'${this.words[this.at].text}' is one word too many; write ${this.usage}`);
  }
}

const WHOLE = /^[-+]?(?:0x[0-9a-fA-F]+|\d+)$/;

/** A whole number, decimal or 0x. The range is up to the caller. */
export function readWhole(word: Word): number {
  const { text } = word;
  if (!WHOLE.test(text)) word.fail(`'${text}' is not a whole number`);
  const value = text.startsWith("-") ? -Number(text.slice(1)) : Number(text);
  return value === 0 ? 0 : value;
}

/** A whole number of a range. */
export function readWithin(word: Word, min: number, max: number): number {
  const value = readWhole(word);
  if (value < min || value > max) word.fail(`${value} is not a whole number ${min}..${max}`);
  return value;
}

/** `4x4`: `count` whole numbers joined by a separator. @param form shown in the complaint: "HEIGHTxWIDTH" */
export function readJoined(word: Word, separator: string, count: number, form: string): number[] {
  const parts = word.split(separator);
  if (parts.length !== count || parts.some(({ text }) => !WHOLE.test(text)))
    word.fail(`'${word.text}' is not of the form ${form}`);
  return parts.map(readWhole);
}

/** Names that can stand without quotes. */
const BARE_NAME = /^[A-Za-z_/][\w./:$@-]*$/;
/** What a `.tile` directive says of instructions that work for no layer. */
export const NONE = "none";

/** A name as text: bare where that is unambiguous, else a JSON string. */
export function nameText(name: string): string {
  return BARE_NAME.test(name) && name !== NONE ? name : JSON.stringify(name);
}

/** A name from text, quoted or bare. */
export function readName(word: Word): string {
  const { text } = word;
  if (!text.startsWith('"')) {
    if (!BARE_NAME.test(text))
      word.fail(`'${text}' is not a name; a name with such characters stands in double quotes`);
    return text;
  }
  try {
    const name: unknown = JSON.parse(text);
    if (typeof name === "string") return name;
  } catch {
    // falls through to the complaint
  }
  return word.fail(`${text} is not a name in double quotes; inside, \\ and " are written \\\\ and \\"`);
}

/** Only so many known names are listed. */
const LISTED_NAMES = 16;

export function listKnown(names: readonly string[]): string {
  if (names.length === 0) return "none is declared";
  const more = names.length - LISTED_NAMES;
  return `known: ${listNames(names.slice(0, LISTED_NAMES))}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Numbered things with names. In text, a bare number is always the number and a name is always a name. */
export class NameList {
  /** Ids of names; -1 where several things share the name, which the text then numbers. */
  private readonly ids = new Map<string, number>();

  private readonly names: readonly string[];

  /** @param what "tensor", for complaints. @param first id of the first one */
  constructor(
    private readonly what: string,
    things: readonly { readonly name: string }[],
    private readonly first: number,
  ) {
    this.names = things.map(({ name }) => name);
    this.names.forEach((name, i) => {
      this.ids.set(name, this.ids.has(name) ? -1 : i + first);
    });
  }

  text(id: number): string {
    const name = this.names[id - this.first];
    return name !== undefined && this.ids.get(name) === id ? nameText(name) : String(id);
  }

  read(word: Word): number {
    if (/^\d/.test(word.text)) return readWhole(word);
    const name = readName(word);
    const id = this.ids.get(name);
    if (id === undefined) word.fail(`${this.what} '${name}' is not declared; ${listKnown(this.names)}`);
    if (id === -1) word.fail(`several ${this.what}s are named '${name}'; write the number`);
    return id as number;
  }
}
