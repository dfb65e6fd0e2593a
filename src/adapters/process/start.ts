import { messageOf } from "../../errors/message-of.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { digestOfFolder } from "./digest.ts";
import { endGroup, endInstance, killStrays } from "./end-group.ts";
import { isSame } from "./identity.ts";
import { logPath, tailOf } from "./log.ts";
import { choosePort, isFree } from "./ports.ts";
import { comeEqual, comeLast } from "./priority.ts";
import type { InstanceRecord, Permit } from "./registry.ts";
import type { Site } from "./site.ts";
import { spawnInstance, type Spawned } from "./spawn.ts";
import { turns } from "./turns.ts";

const LOOK_EVERY_MS = 50;
/** A program that starts takes a whole core for a moment, from those that serve users: the next one waits until it is ready, but not longer than this. */
const APART_MS = 400;
/** How many ports are tried when each turns out to be taken. */
const PORT_TRIES = 5;

/** One call's ways to start instances: ports that are given away, digests that were computed. */
export type Starter = {
  /** Starts an instance under this identity and waits until it is ready. Rejects `INSTANCE_NOT_READY`, `RELEASE_DIGEST_MISMATCH`, `FENCED`. */
  start(identity: Identity, signal: AbortSignal): Promise<InstanceRecord>;
  /** Waits until a living one is ready. One that never took traffic is ended when it does not get there. */
  await(record: InstanceRecord, signal: AbortSignal): Promise<InstanceRecord>;
};
export type Identity = Pick<InstanceRecord, "id" | "release" | "digest" | "ordinal"> & { readonly port?: number };

export async function starterFor(site: Site, records: readonly InstanceRecord[], permit: Permit): Promise<Starter> {
  const { options, region, registry } = site;
  const reserved = new Set(await registry.ports());
  const checked = new Map<string, Promise<Runnable>>();

  const runnable = (identity: Identity): Promise<Runnable> => {
    const known = checked.get(identity.digest) ?? provenRelease(site, identity, records);
    checked.set(identity.digest, known);
    return known;
  };
  const launch = async (
    identity: Identity,
    release: Runnable,
    port: number,
  ): Promise<{ readonly record: InstanceRecord; readonly spawned: Spawned }> => {
    const { id, digest, ordinal } = identity;
    const plain: InstanceRecord = {
      format: 1,
      id,
      component: options.component,
      region,
      release: identity.release,
      digest,
      ordinal,
      stage: "starting",
      port,
      startedAt: options.clock.now(),
      ...release,
    };
    await registry.put(plain, permit);
    await permit();
    const spawned = await spawnInstance(plain, registry.dir, options.env).catch((cause: unknown) =>
      Promise.reject(notStarted(plain, cause)),
    );
    const record: InstanceRecord = { ...plain, process: { pid: spawned.pid, start: spawned.start } };
    await comeLast(spawned.pid);
    try {
      await registry.put(record, permit);
    } catch (error) {
      // Nobody would know of it, or somebody newer decides now. It is ours beyond doubt: we have just started it.
      await endGroup(record.process ?? spawned, {
        registryDir: registry.dir,
        graceMs: 0,
        clock: options.clock,
        signal: new AbortController().signal,
      });
      throw error;
    }
    return { record, spawned };
  };
  const inTurn = turns(options.clock, APART_MS);
  const untilStarted = async (identity: Identity, release: Runnable, signal: AbortSignal): Promise<InstanceRecord> => {
    for (let turn = 1; ; turn += 1) {
      signal.throwIfAborted();
      const port = await choosePort(reserved, turn === 1 ? identity.port : undefined);
      const { record, spawned } = await launch(identity, release, port);
      const outcome = await untilReady(site, record, () => spawned.ended(), signal);
      if (outcome.kind === "ready") return settled(site, record, permit);
      const tail = await tailOf(logPath(registry.dir, record));
      const isTaken =
        outcome.kind === "ended" &&
        (/EADDRINUSE|address already in use|port \d+ is taken/i.test(tail) || !(await isFree(port)));
      await permit();
      await endUnused(site, record, signal);
      if (isTaken && turn < PORT_TRIES) continue;
      throw notReady(site, record, outcome, tail);
    }
  };
  return {
    async start(identity, signal) {
      const release = await runnable(identity);
      await permit();
      await killStrays(registry.dir, identity.id);
      return inTurn(() => untilStarted(identity, release, signal), signal);
    },
    async await(record, signal) {
      const outcome = await untilReady(site, record, () => undefined, signal);
      if (outcome.kind === "ready") return settled(site, record, permit);
      const tail = await tailOf(logPath(registry.dir, record));
      if (outcome.kind === "late" && record.stage === "starting") {
        await permit();
        await endUnused(site, record, signal);
      }
      throw notReady(site, record, outcome, tail);
    },
  };
}

async function settled(site: Site, record: InstanceRecord, permit: Permit): Promise<InstanceRecord> {
  if (record.stage === "running") return record;
  if (record.process !== undefined) await comeEqual(record.process.pid);
  const running: InstanceRecord = { ...record, stage: "running" };
  await site.registry.put(running, permit);
  return running;
}

/** No user ever reached it, so there is nothing to say goodbye to. Its record stays: the next call starts it anew. */
const endUnused = (site: Site, record: InstanceRecord, signal: AbortSignal): Promise<void> =>
  endInstance(record, { registryDir: site.registry.dir, graceMs: 0, clock: site.options.clock, signal });

type Outcome =
  | { readonly kind: "ready" }
  | { readonly kind: "ended"; readonly how: string }
  | { readonly kind: "late" };

async function untilReady(
  site: Site,
  record: InstanceRecord,
  ended: () => string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, config } = site.options;
  const until = clock.monotonic() + config.readyDeadlineMs;
  for (let turn = 0; ; turn += 1) {
    const end = ended() ?? (turn % 10 === 9 && !(await isAlive(site, record)) ? "it ended" : undefined);
    if (end !== undefined) return { kind: "ended", how: end };
    // Alive is asked once more after the answer: an instance that died of a taken port leaves the other one answering there.
    if ((await site.operator.isReady(record, signal)) && ended() === undefined && (await isAlive(site, record)))
      return { kind: "ready" };
    if (clock.monotonic() >= until) return { kind: "late" };
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

const isAlive = async (site: Site, record: InstanceRecord): Promise<boolean> =>
  record.process !== undefined && isSame(record.process, site.registry.dir, record.id);

const notReady = (site: Site, record: InstanceRecord, outcome: Outcome, tail: string): UpgradeError => {
  const path = logPath(site.registry.dir, record);
  const why =
    outcome.kind === "ended"
      ? `${outcome.how} before it was ready`
      : `it was not ready within ${site.options.config.readyDeadlineMs / 1000} s`;
  return new UpgradeError(
    "INSTANCE_NOT_READY",
    `${record.id}: ${why}${tail === "" ? "; it printed nothing" : `; its last lines:\n${tail}`}`,
    { hint: `read ${path}` },
  );
};

const notStarted = (record: InstanceRecord, cause: unknown): UpgradeError =>
  cause instanceof UpgradeError
    ? cause
    : new UpgradeError(
        "INSTANCE_NOT_READY",
        `${record.id}: ${record.run.join(" ")} could not be started in ${record.path}: ${messageOf(cause)}`,
        { hint: "check `run` of this release in releases.yaml, and that the program is on PATH", cause },
      );

type Runnable = Pick<InstanceRecord, "path" | "run">;

/** Where a release lies, after its folder was proved to be what its digest says. */
async function provenRelease(
  site: Site,
  { release, digest }: Identity,
  records: readonly InstanceRecord[],
): Promise<Runnable> {
  const { releases } = site.options;
  const named = releases[release];
  const found =
    named?.digest === digest
      ? named
      : (Object.values(releases).find((one) => one.digest === digest) ?? records.find((one) => one.digest === digest));
  if (found === undefined)
    throw mismatch(
      `${release} should be ${digest}, ${named === undefined ? "and releases.yaml does not name it" : `and releases.yaml says ${named.digest}`}`,
      "certify this release in releases.yaml, with the folder where it lies",
    );
  const actual = await digestOfFolder(found.path).catch((cause: unknown) =>
    Promise.reject(
      mismatch(
        `the folder ${found.path} of ${release} cannot be read: ${messageOf(cause)}`,
        "build it, and let this user read it",
        cause,
      ),
    ),
  );
  if (actual !== digest)
    throw mismatch(
      `the folder ${found.path} of ${release} is ${actual}, not ${digest}`,
      "build this release again, or certify the new digest in releases.yaml",
    );
  return { path: found.path, run: found.run };
}

const mismatch = (message: string, hint: string, cause?: unknown): UpgradeError =>
  new UpgradeError("RELEASE_DIGEST_MISMATCH", message, { hint, cause });
