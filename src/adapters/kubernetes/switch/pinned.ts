import { canonicalJson } from "../../../graph/fingerprint.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { Labels, Service } from "../api/objects.ts";
import { annotationOps, setAt, type PatchOp } from "../api/patch.ts";
import { differencesOf } from "../hold.ts";
import { recordIn, type RecordKind } from "../record.ts";
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

const RECORD: RecordKind<Pinned> = {
  annotation: PINNED,
  isWhole: ({ chosen, was }) => typeof chosen === "string" && typeof was === "object",
  remedy: "put the selector back and take the annotation away by hand",
};

/** Undefined where nobody pinned it. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export const pinnedIn = ({ metadata }: Service): Pinned | undefined =>
  recordIn(RECORD, metadata, `service ${metadata.name}`);

export const selectorOf = ({ was, chosen }: Pick<Pinned, "was" | "chosen">): Labels => ({
  ...was,
  [TEMPLATE_HASH]: chosen,
});

/** What somebody else changed of the selector, a line a label. */
export const selectorChanges = (pinned: Pinned, service: Service): readonly string[] =>
  differencesOf({ spec: { selector: selectorOf(pinned) } }, { spec: { selector: service.spec?.selector ?? {} } });

/** As a JSON patch that is refused when anybody wrote since the Service was read: the record and the selector in one. `pinned` undefined: as it was. */
export function pinPatch(service: Service, pinned: Pinned | undefined, was: Labels): readonly PatchOp[] {
  const selector = pinned === undefined ? was : selectorOf(pinned);
  return [
    ...annotationOps(service.metadata, { [PINNED]: pinned === undefined ? undefined : JSON.stringify(pinned) }),
    ...(canonicalJson(service.spec?.selector ?? {}) === canonicalJson(selector)
      ? []
      : [setAt("/spec/selector", selector)]),
  ];
}
