import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { canonicalJson } from "../../../graph/fingerprint.ts";
import { fenceText, type Fence } from "../../../ports/fence.ts";
import type { Labels, Service } from "../api/objects.ts";
import { differencesOf, setAt, type PatchOp } from "../hold.ts";
import { TEMPLATE_HASH } from "../template.ts";

/**
 * A Service whose selector names one template says so itself, in one annotation: what it selected before, to the last label, and whom it was told
 * to select. It goes when the selector is as it was again.
 */
export type Pinned = {
  readonly format: 1;
  readonly was: Labels;
  /** Hash of the template whose pods are selected. */
  readonly chosen: string;
  /** The highest that ever wrote here while it is pinned. */
  readonly fence: Fence;
};

export const PINNED = "midflight.dev/pinned";

/** Undefined where nobody pinned it. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export function pinnedIn({ metadata }: Service): Pinned | undefined {
  const text = metadata.annotations?.[PINNED];
  if (text === undefined) return undefined;
  const parsed = parsedOf(text);
  if (parsed?.format === 1 && typeof parsed.chosen === "string" && typeof parsed.was === "object")
    return parsed as Pinned;
  throw new UpgradeError(
    "KUBERNETES_HOLD_UNREADABLE",
    `the annotation ${PINNED} of service ${metadata.name} is not a record that this version can read`,
    {
      hint: "use the version of midflight that wrote it, or put the selector back and take the annotation away by hand",
    },
  );
}

function parsedOf(text: string): Partial<Pinned> | null | undefined {
  try {
    return JSON.parse(text) as Partial<Pinned> | null;
  } catch {
    return undefined;
  }
}

export const selectorOf = ({ was, chosen }: Pick<Pinned, "was" | "chosen">): Labels => ({
  ...was,
  [TEMPLATE_HASH]: chosen,
});

/** What somebody else changed of the selector, a line a label. */
export const selectorChanges = (pinned: Pinned, service: Service): readonly string[] =>
  differencesOf({ spec: { selector: selectorOf(pinned) } }, { spec: { selector: service.spec?.selector ?? {} } });

/** As a JSON patch that is refused when anybody wrote since the Service was read: the record and the selector in one. `pinned` undefined: as it was. */
export function pinPatch(service: Service, pinned: Pinned | undefined, was: Labels): readonly PatchOp[] {
  const { annotations, resourceVersion } = service.metadata;
  const selector = pinned === undefined ? was : selectorOf(pinned);
  const record = pinned === undefined ? undefined : JSON.stringify(pinned);
  return [
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    ...(annotations === undefined ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }] : []),
    ...(annotations?.[PINNED] === record ? [] : [setAt(`/metadata/annotations/${PINNED.replace("/", "~1")}`, record)]),
    ...(canonicalJson(service.spec?.selector ?? {}) === canonicalJson(selector)
      ? []
      : [setAt("/spec/selector", selector)]),
  ];
}

export const fenceOf = ({ fence }: Pinned): string => fenceText(fence);
