import { canonicalJson } from "../../../graph/fingerprint.ts";
import type { Fence } from "../../../ports/fence.ts";
import { setAt, type PatchOp } from "../api/patch.ts";
import { HOLD, recordOps, type Variant } from "../hold.ts";
import type { PodSet, UpdateStrategy } from "../api/objects.ts";
import type { Counts, Side } from "../placement.ts";
import { recordIn } from "../record.ts";

/** The kinds that replace pods in their places. */
export type SetKind = "StatefulSet" | "DaemonSet";

/**
 * A StatefulSet or DaemonSet that midflight holds says so itself, in one annotation, as a Deployment does (`hold.ts`): what it was before, to the
 * last field, and what was ordered last.
 */
export type SetHeld = {
  readonly format: 1;
  /** The rollout's own fields as they were, and as they shall be again. */
  readonly rest: SetRest;
  readonly before: Variant;
  readonly after?: Variant;
  /** Absent while nothing but this record was written. */
  readonly ordered?: SetOrder;
  /** Name of the pod in the dark whose place is taken with this order. It goes once somebody serves there. */
  readonly admitted?: readonly string[];
};

/** `replicas`: of a StatefulSet. Absent: it did not state it. */
export type SetRest = { readonly replicas?: number; readonly updateStrategy?: UpdateStrategy };

/** `template`: of which pods are made that come. `fresh` of `places` are of the template after; none, where it is the one before. */
export type SetOrder = { readonly template: Side; readonly fresh: number; readonly places: number };

/** What of its spec is held. */
export type SetFields = SetRest & { readonly template: PodSet["spec"]["template"] };

/** The record of a set that is held. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export const setHeldIn = ({ metadata }: PodSet): SetHeld | undefined =>
  recordIn<SetHeld>(HOLD, metadata, metadata.name);

/** The first record, before anything is changed. */
export const setHoldOf = (set: PodSet, digest: string): SetHeld => {
  const { template, ...rest } = setFieldsOf(set);
  return { format: 1, rest, before: { digest, template } };
};

/** How many places each template was ordered to have. */
export const placesOf = ({ ordered }: SetHeld, places: number): Counts => {
  const fresh = ordered?.template === "after" ? ordered.fresh : 0;
  return { before: places - fresh, after: fresh };
};

export function setFieldsOf({ spec: { template, replicas, updateStrategy } }: PodSet): SetFields {
  return {
    template,
    ...(replicas === undefined ? {} : { replicas }),
    ...(updateStrategy === undefined ? {} : { updateStrategy }),
  };
}

/** What the held fields are while this record stands. */
export function heldSetFields(kind: SetKind, { ordered, rest, before, after }: SetHeld): SetFields {
  if (ordered === undefined) return { ...rest, template: before.template };
  return {
    ...rest,
    template: ordered.template === "before" ? before.template : (after ?? before).template,
    updateStrategy: strategyFor(kind, rest, ordered),
  };
}

/**
 * A StatefulSet replaces the pods from the number `partition` on, the highest first, and makes those below it anew from the template before.
 * A DaemonSet that replaces nothing by itself is told pod by pod: whoever leaves is followed by one of the template that it has now.
 */
function strategyFor(
  kind: SetKind,
  { updateStrategy }: SetRest,
  { template, fresh, places }: SetOrder,
): UpdateStrategy {
  switch (kind) {
    case "StatefulSet":
      return {
        type: "RollingUpdate",
        rollingUpdate: { ...updateStrategy?.rollingUpdate, partition: template === "before" ? 0 : places - fresh },
      };
    case "DaemonSet":
      return { type: "OnDelete" };
  }
}

/** What they are once it is let go: the template that it stands at stays, everything else is as it was. */
export const freeSetFields = (kind: SetKind, held: SetHeld): SetFields => ({
  ...held.rest,
  template: heldSetFields(kind, held).template,
});

/** What a set shall be next. `held` undefined: nobody holds it any more. */
export type SetAmendment = { readonly held: SetHeld | undefined; readonly fields: SetFields };

const FIELDS = ["template", "replicas", "updateStrategy"] as const;

/** As a JSON patch that is refused when anybody wrote since the set was read. Only what differs is named. */
export function setPatchFor(set: PodSet, fence: Fence, { held, fields }: SetAmendment): readonly PatchOp[] {
  const was = setFieldsOf(set);
  const differing = FIELDS.filter((name) => canonicalJson(was[name] ?? null) !== canonicalJson(fields[name] ?? null));
  return [...recordOps(set, fence, held), ...differing.map((name) => setAt(`/spec/${name}`, fields[name]))];
}
