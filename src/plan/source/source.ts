import type { Problem } from "../../errors/problem.ts";

/** Where a value stands in the text (UTF-16 offsets), where its key stands, and the same of what is inside it. */
export type Place = {
  readonly start: number;
  readonly end: number;
  readonly key?: { readonly start: number; readonly end: number };
  readonly children?: ReadonlyMap<string | number, Place>;
};

/** The text of one file, and where each value of it stands. */
export type Source = {
  /** As the user named it. */
  readonly file: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
  readonly root: Place;
};

export type Path = readonly (string | number)[];

/** What is wrong, in words, and the path of it. */
export type Complaint = {
  readonly code: string;
  readonly message: string;
  readonly path: Path;
  /** Points at the key instead of the value. */
  readonly at?: "key" | "value";
  readonly hint?: string;
  /** A part of a scalar value, counted from its first character, without quotes. */
  readonly part?: { readonly at: number; readonly length: number };
};

export const lineStartsOf = (text: string): readonly number[] => {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
};

/** A located problem. A path that is not in the file falls back to the nearest thing around it that is. */
export function problemAt(source: Source, complaint: Complaint): Problem {
  const { place, isExact } = placeAt(source.root, complaint.path);
  const range = rangeOf(source, place, complaint, isExact);
  return {
    ...problemInText(source, range.start, range.end, complaint),
    ...(complaint.path.length === 0 ? {} : { path: pathText(complaint.path) }),
  };
}

function rangeOf(
  source: Source,
  place: Place,
  complaint: Complaint,
  isExact: boolean,
): { readonly start: number; readonly end: number } {
  if ((complaint.at === "key" || !isExact) && place.key !== undefined) return place.key;
  if (!isExact || complaint.at === "key") return firstKeyOf(place) ?? place;
  if (complaint.part === undefined) return place;
  const start = place.start + quotesBefore(source.text, place);
  const part = { start: start + complaint.part.at, end: start + complaint.part.at + complaint.part.length };
  return part.start < place.end ? { start: part.start, end: Math.min(part.end, place.end) } : place;
}

const firstKeyOf = (place: Place) => place.children?.values().next().value?.key;

const quotesBefore = (text: string, place: Place): number =>
  text[place.start] === '"' || text[place.start] === "'" ? 1 : 0;

/** Deepest place along the path that exists in the file. */
export function placeAt(root: Place, path: Path): { readonly place: Place; readonly isExact: boolean } {
  let place = root;
  for (const segment of path) {
    const child = place.children?.get(segment);
    if (child === undefined) return { place, isExact: false };
    place = child;
  }
  return { place, isExact: true };
}

type Text = Pick<Source, "file" | "text" | "lineStarts">;

/** A problem between two offsets of a text. Lines and columns count from 1, columns in characters; more than a line is cut at its end. */
export function problemInText(
  source: Text,
  start: number,
  end: number,
  what: Pick<Complaint, "code" | "message" | "hint">,
): Problem {
  const line = lineOf(source.lineStarts, start);
  const lineStart = source.lineStarts[line] ?? 0;
  const lineText = lineAt(source, line);
  // An offset in the line feed itself belongs to the end of its line.
  const from = Math.min(start - lineStart, lineText.length);
  const to = Math.max(from, Math.min(end - lineStart, lineText.length));
  return {
    code: what.code,
    message: what.message,
    file: source.file,
    line: line + 1,
    column: charactersIn(lineText.slice(0, from)) + 1,
    ...(lineText.length > MOST_SHOWN ? {} : { source: withoutPasswords(lineText) }),
    length: Math.max(1, charactersIn(lineText.slice(from, to))),
    ...(what.hint === undefined ? {} : { hint: what.hint }),
  };
}

/** A longer line is no line for people, such as a whole file of JSON; its place is given without it. */
const MOST_SHOWN = 2_000;

const charactersIn = (text: string): number =>
  text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);

/** 0-based, by bisection. */
export function lineOf(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const lineAt = ({ text, lineStarts }: Text, line: number): string =>
  text.slice(lineStarts[line] ?? 0, (lineStarts[line + 1] ?? text.length + 1) - 1).replace(/\r$/, "");

/** Problems are printed and logged: a secret that stands in the line is starred, without moving what follows. */
const withoutPasswords = (line: string): string =>
  line.replaceAll(URL_PASSWORD, starred).replaceAll(SECRET_KEY, starred).replaceAll(AUTHORIZATION, starred);

const URL_PASSWORD = /(:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g;
const SECRET_KEY =
  /((?:secret|passphrase|password|passwd|token|api[-_]?key)\\*["']?\s*[:=]\s*\\*["']?)([^\s"'{},\\]+)/gi;
const AUTHORIZATION = /(authorization\\*["']?\s*[:=]\s*\\*["']?\w+\s+)([^\s"'{},\\]+)/gi;

const starred = (_: string, before: string, secret: string): string => `${before}${"*".repeat(secret.length)}`;

/** A problem of a file as a whole. */
export const problemOfFile = (file: string, what: Pick<Complaint, "code" | "message" | "hint">): Problem => ({
  code: what.code,
  message: what.message,
  file,
  line: 0,
  column: 0,
  ...(what.hint === undefined ? {} : { hint: what.hint }),
});

/** `steps[2].waves[0].batch`. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    const name = /^[\w$@.-]+$/.test(segment) ? segment : JSON.stringify(segment);
    return text === "" ? name : `${text}.${name}`;
  }, "");
