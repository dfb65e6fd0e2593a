import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import { amend } from "./amend.ts";
import { isFailure, type Resource } from "./api/api-failure.ts";
import type { Metadata } from "./api/objects.ts";
import type { PatchOp } from "./api/patch.ts";
import { managersOf } from "./beside/managers.ts";
import { isLower } from "./hold.ts";
import type { Site } from "./site.ts";
import type { Errand } from "./under-fence.ts";

/** Its controllers may write to it, as a gateway writes its status; so may somebody else. */
const TRIES = 20;

/** An object beside the Deployment that users' ways are written to, and that says so itself in a record: a Service, an HTTPRoute. */
export type Recorded<O, R> = {
  readonly resource: Resource;
  readonly nameIn: (site: Site) => string;
  /** For sentences: `the Service`, and `put the selector back as it was ordered`. */
  readonly called: string;
  readonly remedy: string;
  /** The record; undefined where there is none. Throws `KUBERNETES_HOLD_UNREADABLE`. */
  readonly recordIn: (object: O) => R | undefined;
  /** What of it is not as the record says, a line a field. */
  readonly changes: (site: Site, object: O, record: R) => readonly string[];
};

type Written = { readonly metadata: Metadata };
type Fenced = { readonly fence: Fence };

export const readRecorded = <O, R>({ resource, nameIn }: Recorded<O, R>, site: Site, signal: AbortSignal): Promise<O> =>
  site.api.send<O>({ verb: "get", resource, name: nameIn(site) }, signal);

/** In words; undefined where it is as it was ordered. */
export function changeOf<O extends Written, R>(
  { resource, changes }: Recorded<O, R>,
  site: Site,
  object: O,
  record: R,
): string | undefined {
  const found = changes(site, object, record);
  if (found.length === 0) return undefined;
  const { metadata } = object;
  const suspects = managersOf(metadata).map(({ name }) => name);
  const by = suspects.length === 0 ? "" : ` (it is managed by ${suspects.join(" and ")})`;
  return `${resource.slice(0, -1)} ${metadata.name} in ${site.api.context} was changed by somebody else while midflight held it: ${found.join("; ")}${by}`;
}

/** Throws `FOREIGN_CHANGE` with what somebody else changed. */
export function refuseChanged<O extends Written, R>(kind: Recorded<O, R>, site: Site, object: O, record: R): void {
  const text = changeOf(kind, site, object, record);
  if (text === undefined) return;
  const pauses = managersOf(object.metadata).map(({ pause }) => `${pause}; `);
  throw new UpgradeError("FOREIGN_CHANGE", text, {
    hint: `${pauses.join("")}${kind.remedy}, then \`midflight resume\``,
  });
}

/** The body of the write; undefined: there is nothing to write. */
type PatchFor<O, R> = (object: O, record: R | undefined) => readonly PatchOp[] | undefined;

/**
 * Reads, decides, and writes only if nobody wrote meanwhile: whoever is late is told by the Deployment's fence, and by the one in the record. Resolves
 * with whether anything was written. `isShown`: what somebody changed meanwhile is no offence, since whoever asked was shown it.
 */
export async function writeRecorded<O extends Written, R extends Fenced>(
  kind: Recorded<O, R>,
  { site, fence, signal }: Errand,
  patchFor: PatchFor<O, R>,
  isShown = false,
): Promise<boolean> {
  const { resource, nameIn, recordIn } = kind;
  for (let turn = 1; ; turn += 1) {
    const object = await readRecorded(kind, site, signal);
    const record = recordIn(object);
    if (record !== undefined && !isShown) {
      refuseLate(kind, site, fence, record);
      refuseChanged(kind, site, object, record);
    }
    const body = patchFor(object, record);
    if (body === undefined) return false;
    try {
      const query = { fieldManager: "midflight" };
      await site.api.send({ verb: "patch", resource, name: nameIn(site), query, body }, signal);
      return true;
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
      // Whoever wrote may be the next conductor.
      if (!isShown) await amend(site, fence, () => undefined, signal);
    }
  }
}

function refuseLate<O, R extends Fenced>({ called }: Recorded<O, R>, { frame }: Site, fence: Fence, known: R): void {
  if (!isLower(fence, known.fence)) return;
  throw new UpgradeError(
    "FENCED",
    `a write with fence ${fenceText(fence)} was refused for ${called} of ${frame.component} in ${frame.region}, where ${fenceText(known.fence)} was seen`,
    { hint: "look at `midflight status` to see who acts now" },
  );
}
