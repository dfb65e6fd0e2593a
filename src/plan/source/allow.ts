import { DIRECTIVE } from "./migration-head.ts";
import { lineStartsOf } from "./source.ts";

/** `-- midflight: allow RULE because REASON`, in UTF-16 offsets. Nothing is judged here. */
export type Allow = { readonly at: number; readonly end: number; readonly rule: string; readonly reason: string };

/** Every allow of a migration's file, from top to bottom. */
export function allowsIn(text: string): readonly Allow[] {
  const lineStarts = lineStartsOf(text);
  return lineStarts.flatMap((start, index) => {
    const line = text.slice(start, (lineStarts[index + 1] ?? text.length + 1) - 1);
    const [, before = "", word = "", value = ""] = DIRECTIVE.exec(line) ?? [];
    if (word !== "allow") return [];
    const [, rule = "", reason = ""] = /^(\S*)(?:\s+because\s+(.*\S))?/.exec(value) ?? [];
    const dashes = before.length - before.trimStart().length;
    return [{ at: start + dashes, end: start + line.trimEnd().length, rule, reason }];
  });
}
