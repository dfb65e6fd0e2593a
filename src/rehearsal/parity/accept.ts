import type { Acceptance } from "../../plan/model.ts";

/** An acceptance with where it stands: the environment, and its number in the list there. */
export type PlacedAcceptance = Acceptance & { readonly from: string; readonly index: number };

/** `*` stands for anything but a slash, `**` for anything; every other character for itself. */
export function matches(pattern: string, id: string): boolean {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : part.replaceAll(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join("")}$`, "su").test(id);
}

export const isExpired = (acceptance: Acceptance, now: number): boolean => now >= acceptance.untilMs;
