import { createHash } from "node:crypto";
import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { ErrorCode } from "../../src/errors/catalog.ts";
import type { Migration } from "../../src/plan/model.ts";
import { fenceText } from "../../src/ports/fence.ts";
import type { Fence } from "../../src/ports/fence.ts";
import type { Metadata, MetadataState, MigrationReport } from "../../src/ports/metadata.ts";

/** A metadata store in memory, without clock or luck. SQL that holds `select 1 / 0` fails; all other passes. */
export type FakeMetadataStore = {
  /** The port, as any number of conductors hold it. */
  open(): Metadata;
  /** The next call rejects so, and does nothing. */
  failNext(code: ErrorCode): void;
  /** The next `migrate` does its work, and its answer is lost. */
  loseNextReply(): void;
  /** The next call waits, before it does anything, until the result is called or its signal aborts. */
  holdNext(): () => void;
  /** From now on the verify file of this migration does not pass. */
  breakVerify(name: string): void;
  /** Somebody else changes the catalogue. */
  drift(what: string): void;
  readonly applied: readonly string[];
};

type Sums = Readonly<Record<"up" | "verify" | "down", string>>;
type Entry = { readonly name: string; readonly up: string; readonly sums: Sums };

export const fakeMetadataStore = (): FakeMetadataStore => {
  let entries: readonly Entry[] = [];
  let seen: Fence | undefined;
  let failure: ErrorCode | undefined;
  let isReplyLost = false;
  let gate: Promise<void> | undefined;
  const drifts: string[] = [];
  const broken = new Set<string>();

  const enter = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    const waited = gate;
    gate = undefined;
    if (waited !== undefined) await Promise.race([waited, aborted(signal)]);
    const code = failure;
    failure = undefined;
    if (code !== undefined) throw new UpgradeError(code, "the fake was told to fail", { hint: "none" });
  };
  const stateNow = (): MetadataState => ({
    fingerprint: `sha256:${sha256([...entries.map((entry) => entry.up).toSorted(), ...drifts].join("\0"))}`,
    applied: entries.map(({ name, sums }) => ({ name, sha256: sha256(Object.values(sums).join("\n")) })),
    server: "fake 1",
  });
  const raise = (fence: Fence): void => {
    if (seen !== undefined && (fence.epoch < seen.epoch || (fence.epoch === seen.epoch && fence.seq < seen.seq))) {
      throw new UpgradeError("FENCED", `the fake refused ${fenceText(fence)}: it has seen ${fenceText(seen)}`, {
        hint: "none",
      });
    }
    seen = fence;
  };
  const apply = (migration: Migration): MigrationReport => {
    for (const part of ["up", "verify"] as const) {
      if (fails(migration[part]))
        throw new UpgradeError("MIGRATION_FAILED", `${migration.name}.${part}.sql:1: division by zero`, {
          hint: "none",
        });
    }
    entries = [...entries, { name: migration.name, up: migration.up, sums: sumsOf(migration) }];
    return reportOf(migration.name, "up");
  };
  const revert = (migration: Migration): MigrationReport => {
    if (fails(migration.down))
      throw new UpgradeError("MIGRATION_FAILED", `${migration.name}.down.sql:1: division by zero`, { hint: "none" });
    entries = entries.filter((entry) => entry.name !== migration.name);
    return reportOf(migration.name, "down");
  };
  const isApplied = (name: string): boolean => entries.some((entry) => entry.name === name);

  const metadata: Metadata = {
    async observe(migrations, signal) {
      await enter(signal);
      checkFiles(entries, migrations);
      return stateNow();
    },
    async migrate({ direction, names, migrations }, fence, signal) {
      await enter(signal);
      raise(fence);
      const reports: MigrationReport[] = [];
      if (direction === "up") {
        checkFiles(entries, migrations);
        checkOrder(names, entries, migrations);
        for (const migration of migrations)
          if (names.includes(migration.name) && !isApplied(migration.name)) reports.push(apply(migration));
      } else {
        const named = entries.filter((entry) => names.includes(entry.name));
        checkFiles(named, migrations);
        for (const { name } of named.toReversed())
          reports.push(revert(migrations.find((one) => one.name === name) as Migration));
      }
      if (isReplyLost) {
        isReplyLost = false;
        throw new UpgradeError("METADATA_UNREACHABLE", "the fake's answer was lost", { hint: "order the same again" });
      }
      return { state: stateNow(), reports };
    },
    async verify(names, migrations, signal) {
      await enter(signal);
      for (const { name } of entries.filter((entry) => names.includes(entry.name))) {
        const migration = migrations.find((one) => one.name === name);
        if (broken.has(name) || fails(migration?.verify ?? ""))
          throw new UpgradeError("VERIFY_FAILED", `${name}.verify.sql:1 did not pass`, { hint: "none" });
      }
    },
  };
  return {
    open: () => metadata,
    failNext: (code) => void (failure = code),
    loseNextReply: () => void (isReplyLost = true),
    holdNext() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    breakVerify: (name) => void broken.add(name),
    drift: (what) => void drifts.push(what),
    get applied() {
      return entries.map((entry) => entry.name);
    },
  };
};

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const sumsOf = (migration: Migration): Sums => ({
  up: sha256(migration.up),
  verify: sha256(migration.verify),
  down: sha256(migration.down),
});
const fails = (sql: string): boolean => sql.includes("select 1 / 0");
const reportOf = (name: string, direction: "up" | "down"): MigrationReport => ({
  name,
  direction,
  ms: 0,
  statements: 1,
  lockRetries: 0,
});

const checkFiles = (entries: readonly Entry[], migrations: readonly Migration[]): void => {
  for (const { name, sums } of entries) {
    const migration = migrations.find((one) => one.name === name);
    if (migration === undefined) throw rewritten(`${name} is applied, and its files are gone`);
    const now = sumsOf(migration);
    for (const part of ["up", "verify", "down"] as const) {
      if (now[part] !== sums[part])
        throw rewritten(`${name}.${part}.sql was edited: sha256 ${sums[part]} then, ${now[part]} now`);
    }
  }
};

const checkOrder = (names: readonly string[], entries: readonly Entry[], migrations: readonly Migration[]): void => {
  const applied = new Set(entries.map((entry) => entry.name));
  migrations.forEach((migration, index) => {
    if (!names.includes(migration.name) || applied.has(migration.name)) return;
    const isOvertaken = migrations
      .slice(index + 1)
      .some((later) => applied.has(later.name) && !(migration.phase === "contract" && later.phase === "expand"));
    if (isOvertaken) throw rewritten(`${migration.name} is new, and ordered before applied ones`);
  });
};

const rewritten = (message: string): UpgradeError => new UpgradeError("HISTORY_REWRITTEN", message, { hint: "none" });
