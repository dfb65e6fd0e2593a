import { isReplacing } from "../../../plan/in-place.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { Keeping } from "../../../ports/holds.ts";
import type { PatchOp } from "../api/patch.ts";
import { differencesOf, fieldsOf, heldIn, patchFor, type Held } from "../hold.ts";
import { setFieldsOf, setHeldIn, setPatchFor, type SetHeld } from "../in-place/set-held.ts";
import { lookAtSet, type SetSight } from "../in-place/set-site.ts";
import type { Metadata } from "../api/objects.ts";
import { otherOf, type Side } from "../placement.ts";
import type { SeenPod, Sight } from "../sight.ts";
import { look, type Site } from "../site.ts";
import { podsOf } from "../variant.ts";

/** What a run left at an object, whatever its kind. */
export type Leftover = {
  readonly metadata: Metadata;
  readonly dark: readonly SeenPod[];
  /** Absent: nobody holds it. */
  readonly held?: {
    /** How many pods it shall have. */
    readonly places: number;
    pods(side: Side): readonly SeenPod[];
    digest(side: Side): string | undefined;
    /** What would be put back, a line a field. */
    changes(keeping: Keeping): readonly string[];
    patch(fence: Fence, keeping: Keeping): readonly PatchOp[];
    /** Pods that its controller would wait for and never replace: of the release that goes, and not ready (kubernetes#67250). */
    stuck(keeping: Keeping): readonly SeenPod[];
    /** Pods of the release that goes, which stay until somebody deletes them: its own strategy is so. */
    staying(keeping: Keeping): readonly SeenPod[];
  };
};

export const leftoverAt = async (site: Site, signal: AbortSignal): Promise<Leftover> =>
  isReplacing(site.options.config.object.kind)
    ? ofSet(site, await lookAtSet(site, signal))
    : ofDeployment(site, await look(site, signal));

/** The release that stays, and the one that goes. */
const stayingSide = (keeping: Keeping): Side => (keeping === "new" ? "after" : "before");
const goingSide = (keeping: Keeping): Side => otherOf(stayingSide(keeping));

function ofDeployment({ frame }: Site, sight: Sight): Leftover {
  const { deployment, dark } = sight;
  const held = heldIn(deployment);
  if (held === undefined) return { metadata: deployment.metadata, dark };
  const fields = (keeping: Keeping) => ({ ...held.rest, template: templateOf(held, keeping) });
  return {
    metadata: deployment.metadata,
    dark,
    held: {
      places: held.rest.replicas,
      pods: (side) => podsOf(held, side, sight, frame.container),
      digest: (side) => held[side]?.digest,
      changes: (keeping) => differencesOf(fieldsOf(deployment), fields(keeping)),
      patch: (fence, keeping) => patchFor(deployment, fence, { held: undefined, fields: fields(keeping) }),
      stuck: () => [],
      staying: () => [],
    },
  };
}

function ofSet({ frame }: Site, sight: SetSight): Leftover {
  const { set, dark, kind, places } = sight;
  const held = setHeldIn(set);
  if (held === undefined) return { metadata: set.metadata, dark };
  const fields = (keeping: Keeping) => ({ ...held.rest, template: templateOf(held, keeping) });
  const pods = (side: Side) => podsOf(held, side, sight, frame.container);
  const stuck = (keeping: Keeping) =>
    kind === "StatefulSet" ? pods(goingSide(keeping)).filter(({ isReady }) => !isReady) : [];
  const isOnDelete = held.rest.updateStrategy?.type === "OnDelete";
  return {
    metadata: set.metadata,
    dark,
    held: {
      places,
      pods,
      digest: (side) => held[side]?.digest,
      changes: (keeping) => differencesOf(setFieldsOf(set), fields(keeping)),
      patch: (fence, keeping) => setPatchFor(set, fence, { held: undefined, fields: fields(keeping) }),
      stuck,
      staying: (keeping) => (isOnDelete ? pods(goingSide(keeping)).filter((pod) => !stuck(keeping).includes(pod)) : []),
    },
  };
}

const templateOf = ({ before, after }: Pick<Held | SetHeld, "before" | "after">, keeping: Keeping) =>
  stayingSide(keeping) === "after" ? (after ?? before).template : before.template;
