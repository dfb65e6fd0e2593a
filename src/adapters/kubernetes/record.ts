import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Metadata } from "./api/objects.ts";

/** What midflight keeps in an annotation of an object that it writes to, as JSON: what it was before, and what was ordered. */
export type RecordKind<R extends { readonly format: 1 }> = {
  readonly annotation: string;
  readonly isWhole: (parsed: Partial<R>) => boolean;
  /** What a person does where no version can read it, up to taking it away. */
  readonly remedy: string;
};

/** Undefined where there is none. `of`: the object, in words. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export function recordIn<R extends { readonly format: 1 }>(
  { annotation, isWhole, remedy }: RecordKind<R>,
  { annotations }: Metadata,
  of: string,
): R | undefined {
  const text = annotations?.[annotation];
  if (text === undefined) return undefined;
  const parsed = parsedOf(text);
  if (typeof parsed === "object" && parsed !== null && "format" in parsed && parsed.format === 1 && isWhole(parsed))
    return parsed as R;
  throw new UpgradeError(
    "KUBERNETES_HOLD_UNREADABLE",
    `the annotation ${annotation} of ${of} is not a record that this version can read`,
    { hint: `use the version of midflight that wrote it, or ${remedy}` },
  );
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
