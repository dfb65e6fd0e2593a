import type { Fence } from "../../ports/fence.ts";
import { amend } from "./amend.ts";
import { isFailure, type Resource } from "./api/api-failure.ts";
import type { Metadata } from "./api/objects.ts";
import type { PatchOp } from "./api/patch.ts";
import { managersOf } from "./beside/managers.ts";
import { isLower } from "./hold.ts";
import { fenced, foreignChange, foreignText, type Foreign } from "./refusals.ts";
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

/** Undefined where it is as it was ordered. */
function foreignIn<O extends Written, R>(
  { resource, changes: changesOf }: Recorded<O, R>,
  site: Site,
  object: O,
  record: R,
): Foreign | undefined {
  const changes = changesOf(site, object, record);
  const { metadata } = object;
  return changes.length === 0
    ? undefined
    : { what: `${resource.slice(0, -1)} ${metadata.name}`, changes, suspects: managersOf(metadata) };
}

/** In words; undefined where it is as it was ordered. */
export function changeOf<O extends Written, R>(
  kind: Recorded<O, R>,
  site: Site,
  object: O,
  record: R,
): string | undefined {
  const foreign = foreignIn(kind, site, object, record);
  return foreign === undefined ? undefined : foreignText(site, foreign);
}

/** Throws `FOREIGN_CHANGE` with what somebody else changed. */
export function refuseChanged<O extends Written, R>(kind: Recorded<O, R>, site: Site, object: O, record: R): void {
  const foreign = foreignIn(kind, site, object, record);
  if (foreign !== undefined) throw foreignChange(site, foreign, kind.remedy);
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
      if (isLower(fence, record.fence))
        throw fenced(site, `${kind.called} of ${site.frame.component}`, fence, record.fence);
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
