import type { Problem } from "../../errors/problem.ts";
import { lineStartsOf, problemInText, problemOfFile } from "./source.ts";

/** Largest file that is read. A plan of 2,000 steps has a tenth of it. */
export const MOST_BYTES = 1_000_000;

export type Decoded =
  | { readonly kind: "decoded"; readonly text: string }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

const refused = (...problems: readonly Problem[]): Decoded => ({ kind: "refused", problems });

/** Bytes → text: UTF-8 without rubbish in it, of at most a megabyte. A byte order mark at the start is dropped. */
export function decodeSource(bytes: Uint8Array, file: string): Decoded {
  if (bytes.length > MOST_BYTES) return refused(tooLarge(file, bytes.length));
  if (isUtf16(bytes)) return refused(notText(file, "is UTF-16", "save it as UTF-8"));
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refused(notUtf8(file, bytes));
  }
  const strange = CONTROL.exec(text);
  if (strange === null) return { kind: "decoded", text };
  return refused(controlCharacter(file, text, strange.index));
}

const CONTROL = /(?![\t\n\r])\p{Cc}/u;

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

const tooLarge = (file: string, size: number): Problem =>
  problemOfFile(file, {
    code: "FILE_TOO_LARGE",
    message: `the file has ${size} bytes; at most ${MOST_BYTES} are read`,
    hint: "check that this is the file you mean; split a plan that really is so long",
  });

const notText = (file: string, what: string, hint: string): Problem =>
  problemOfFile(file, { code: "FILE_NOT_TEXT", message: `the file ${what}`, hint });

/** Lines are decoded one by one to find the first bad one; a line feed is never part of a longer UTF-8 sequence. */
function notUtf8(file: string, bytes: Uint8Array): Problem {
  if (bytes.includes(0)) return notText(file, "is binary, not text", "check that this is the file you mean");
  const text = new TextDecoder("utf-8").decode(bytes);
  const lineStarts = lineStartsOf(text);
  const at = offsetOfBadByte(bytes);
  return problemInText({ file, text, lineStarts }, at, at + 1, {
    code: "FILE_NOT_TEXT",
    message: "this is not UTF-8",
    hint: "save the file as UTF-8",
  });
}

function offsetOfBadByte(bytes: Uint8Array): number {
  const strict = new TextDecoder("utf-8", { fatal: true });
  const lenient = new TextDecoder("utf-8");
  let offset = 0;
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(0x0a, start);
    const line = bytes.subarray(start, feed === -1 ? bytes.length : feed + 1);
    try {
      offset += strict.decode(line).length;
    } catch {
      return offset + Math.max(0, lenient.decode(line).indexOf("\uFFFD"));
    }
    start += line.length;
  }
  return offset;
}

function controlCharacter(file: string, text: string, at: number): Problem {
  if (text[at] === "\0")
    return notText(file, "is binary, not text: it holds a NUL", "check that this is the file you mean");
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  return problemInText({ file, text, lineStarts: lineStartsOf(text) }, at, at + 1, {
    code: "FILE_NOT_TEXT",
    message: `a control character (U+${code}) stands here`,
    hint: "delete it; inside a text in double quotes write it as an escape",
  });
}

/** For the caller who could not read the file at all. `reason` is the code of the system's error, such as ENOENT. */
export function unreadable(file: string, reason: string): Problem {
  const [message, hint] = REASONS[reason] ?? [`the file cannot be read (${reason})`, "mend that, and try again"];
  return problemOfFile(file, { code: "FILE_UNREADABLE", message, hint });
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["there is no such file", "check the path; `midflight init` writes a first plan"],
  ENOTDIR: ["there is no such file: a part of the path is a file, not a folder", "check the path"],
  EISDIR: ["this is a folder, not a file", "name the file in it"],
  EACCES: ["you may not read this file", "let this user read it"],
  EPERM: ["you may not read this file", "let this user read it"],
  ELOOP: ["the path is a circle of symbolic links", "mend the links"],
  ENAMETOOLONG: ["the path is too long", "check the path"],
};
