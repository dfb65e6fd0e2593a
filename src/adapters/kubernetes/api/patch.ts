import type { Metadata } from "./objects.ts";

/** A line of a JSON patch. */
export type PatchOp =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** `value` undefined: there shall be nothing. */
export const setAt = (path: string, value: unknown): PatchOp =>
  value === undefined ? { op: "remove", path } : { op: "add", path, value };

export const annotationPath = (name: string): string => `/metadata/annotations/${name.replaceAll("/", "~1")}`;

/** First line of a patch that is refused when anybody wrote since this version was read. */
export const ofVersion = (resourceVersion: string | undefined): PatchOp => ({
  op: "replace",
  path: "/metadata/resourceVersion",
  value: resourceVersion,
});

/** Refused when anybody wrote since the object was read; then these annotations, as far as they differ. Undefined: it shall be gone. */
export const annotationOps = (
  { annotations, resourceVersion }: Metadata,
  wanted: Readonly<Record<string, string | undefined>>,
): readonly PatchOp[] => [
  ofVersion(resourceVersion),
  ...(annotations === undefined ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }] : []),
  ...Object.entries(wanted).flatMap(([name, value]) =>
    annotations?.[name] === value ? [] : [setAt(annotationPath(name), value)],
  ),
];
