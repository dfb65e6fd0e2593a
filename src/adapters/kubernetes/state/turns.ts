import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Claim, LeasePlace, LeaseTimes, Turns } from "../../../ports/turns.ts";
import { ApiFailure, isFailure, unlessAbsent } from "../api/api-failure.ts";
import type { Api, Ask } from "../api/api.ts";
import { objectName } from "../api/object-name.ts";
import type { Labels, Lease } from "../api/objects.ts";
import { annotationPath, ofVersion, type PatchOp } from "../api/patch.ts";
import { inOurWords } from "../site.ts";

export const CLUSTER_LEASE_TIMES: LeaseTimes = { renewEveryMs: 5_000, giveUpAfterMs: 12_000, lostAfterMs: 15_000 };

/** Asked in time for the next renewal, whatever hangs. */
const ANSWER_MS = 4_000;
const RELEASE_TRIES = 5;
/** No two clocks are so far apart, and no heartbeat of a living holder is so old. Whoever wants to take over watches all the same. */
const SILENT_MS = 60_000;

const CLAIM = "midflight.dev/claim";
const EPOCH = "midflight.dev/epoch";
const RELEASED = "midflight.dev/released";

type Place = { readonly api: Api; readonly clock: Pick<Clock, "now">; readonly times?: LeaseTimes };

/** One key as a Lease of a namespace. `isVital`: see `LeasePlace`. */
export const leaseIn = (place: Place, key: string, isVital: boolean): LeasePlace => {
  const { times = CLUSTER_LEASE_TIMES } = place;
  return { turns: turnsIn({ ...place, times }, key), times, isVital };
};

/**
 * The turns of one key as one Lease: `leaseTransitions` is the turn, an annotation the claim with its epoch, `renewTime` the heartbeat. Every
 * write names the version that it was decided on, so that of two rivals one is refused. The Lease stays when it is given back, and with it the epoch.
 */
function turnsIn({ api, clock, times }: Required<Place>, key: string): Turns {
  const name = objectName("midflight", key);
  /** Of the Lease when it was last seen to be ours. */
  let version = "";

  const send = async (ask: Omit<Ask, "resource">): Promise<Lease> => {
    const limit = AbortSignal.timeout(ANSWER_MS);
    const { context, namespace } = api;
    try {
      return await api.send<Lease>({ resource: "leases", ...ask }, limit);
    } catch (error) {
      if (!limit.aborted) throw error;
      const asked = { verb: ask.verb, resource: "leases", name, namespace, context } as const;
      throw new ApiFailure(asked, 0, `did not answer within ${ANSWER_MS / 1_000} s`, error);
    }
  };
  const read = (): Promise<Lease | undefined> => unlessAbsent(send({ verb: "get", name }));
  const write = async (lease: Lease, ops: readonly PatchOp[]): Promise<Lease> => {
    const { resourceVersion: value } = lease.metadata;
    const body = [ofVersion(value), ...ops];
    return send({ verb: "patch", name, query: { fieldManager: "midflight" }, body });
  };
  const put = (found: Lease | undefined, turn: number, claim: Claim): Promise<Lease> => {
    const annotations = { [CLAIM]: JSON.stringify(claim), [EPOCH]: String(claim.epoch) };
    const spec = {
      holderIdentity: `${claim.holder.run}@${claim.holder.host}`,
      leaseDurationSeconds: Math.ceil(times.lostAfterMs / 1_000),
      acquireTime: microTime(clock.now()),
      renewTime: microTime(clock.now()),
      leaseTransitions: turn,
    };
    if (found === undefined)
      return send({
        verb: "create",
        body: {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name, labels: { "app.kubernetes.io/managed-by": "midflight" }, annotations },
          spec,
        },
      });
    return write(found, [
      ...Object.entries(annotations).map(([note, value]) => ({
        op: "add" as const,
        path: annotationPath(note),
        value,
      })),
      ...(isReleased(found) ? [{ op: "remove" as const, path: annotationPath(RELEASED) }] : []),
      { op: "add", path: "/spec", value: spec },
    ]);
  };
  const corrupt = (why: string): UpgradeError =>
    new UpgradeError(
      "LEASE_CORRUPT",
      `leases/${name} in namespace ${api.namespace} of ${api.context} ${why}, so nobody knows who holds ${key}, nor its epoch`,
      { hint: "restore the Lease from a copy; its epoch must not be lower than the one in the newest run's journal" },
    );
  const claimIn = (lease: Lease): Claim => {
    try {
      const claim = JSON.parse(annotationsOf(lease)[CLAIM] ?? "") as Claim;
      if (
        typeof claim.id === "string" &&
        Number.isSafeInteger(claim.epoch) &&
        typeof claim.holder.run === "string" &&
        Number.isFinite(claim.holder.since)
      )
        return claim;
    } catch {
      // Said below, as for every other damage.
    }
    throw corrupt(`has no annotation ${CLAIM} that can be read`);
  };
  const turnIn = ({ spec }: Lease): number => {
    const turn = spec?.leaseTransitions ?? 0;
    if (turn < 1) throw corrupt("does not say how often it was taken");
    return turn;
  };

  return {
    last: () =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const lease = await read();
        if (lease === undefined) return undefined;
        const beat = lease.spec?.renewTime ?? "";
        const isSilent = Date.parse(beat) < clock.now() - SILENT_MS;
        return { turn: turnIn(lease), claim: claimIn(lease), isReleased: isReleased(lease), beat, isSilent };
      }),
    standing: (_turn, claim) =>
      inOurWords("STATE_UNREACHABLE", async (): Promise<"last" | "overtaken" | "removed"> => {
        const lease = await read();
        if (lease === undefined) return "removed";
        if (claimIn(lease).id !== claim.id) return "overtaken";
        version = lease.metadata.resourceVersion;
        return "last";
      }),
    claim: (turn, claim) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const found = await read();
        if (found !== undefined && turnIn(found) !== turn - 1) return false;
        try {
          version = (await put(found, turn, claim)).metadata.resourceVersion;
          return true;
        } catch (error) {
          if (!(error instanceof ApiFailure)) throw error;
          // Refused, or done by a request whose answer was lost.
          const now = await read();
          if (now !== undefined && claimIn(now).id === claim.id) {
            version = now.metadata.resourceVersion;
            return true;
          }
          if (error.status === 409) return false;
          throw error;
        }
      }),
    beat: () =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const body = [ofVersion(version), { op: "replace", path: "/spec/renewTime", value: microTime(clock.now()) }];
        const query = { fieldManager: "midflight" };
        version = (await send({ verb: "patch", name, query, body })).metadata.resourceVersion;
      }),
    release: (turn) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        for (let turns = 1; ; turns += 1) {
          const lease = await read();
          if (lease === undefined || turnIn(lease) !== turn || isReleased(lease)) return;
          try {
            const gone = lease.spec?.holderIdentity === undefined ? [] : [REMOVE_HOLDER];
            await write(lease, [{ op: "add", path: annotationPath(RELEASED), value: "true" }, ...gone]);
            return;
          } catch (error) {
            if (!isFailure(error, 409) || turns === RELEASE_TRIES) throw error;
          }
        }
      }),
  };
}

const REMOVE_HOLDER = { op: "remove", path: "/spec/holderIdentity" } as const;

const annotationsOf = ({ metadata }: Lease): Labels => metadata.annotations ?? {};
const isReleased = (lease: Lease): boolean => annotationsOf(lease)[RELEASED] !== undefined;

/** The API server takes exactly six digits behind the point. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");
