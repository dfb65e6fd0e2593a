import { afterEach, describe, expect, test } from "vitest";
import type { Mark, ProofOrder, WatchedInstance, Watcher } from "../../src/ports/watcher.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";

/** A watcher on a venue that the contract can make ill. */
export type WatcherUnderTest = {
  readonly watcher: Watcher;
  /** Verdicts pushed so far. */
  readonly verdicts: () => readonly Verdict[];
  /** Starts it on a healthy venue. */
  start(): Promise<void>;
  /** Resolves once the latest verdict has this state. */
  until(state: VerdictState): Promise<Verdict>;
  /** New instances fail, or stop failing, wherever they are. */
  failNew(fails: boolean): void;
  /** Everybody fails. */
  failAll(fails: boolean): void;
  readonly before: readonly WatchedInstance[];
  readonly fresh: WatchedInstance;
  close(): Promise<void>;
};

const MARK: Mark = { id: "m1", cause: { kind: "metadata", component: "orders-db" } };
const NEED = { excludePct: 5, confidencePct: 99 };

/** The promises of the port, for any watcher. */
export const watcherContract = (name: string, build: () => Promise<WatcherUnderTest>): void => {
  describe(`${name} keeps the watcher's contract`, () => {
    let subject: WatcherUnderTest | undefined;
    afterEach(async () => {
      await subject?.close();
      subject = undefined;
    });
    const started = async (): Promise<WatcherUnderTest> => {
      subject = await build();
      await subject.start();
      subject.watcher.instances(subject.before);
      return subject;
    };
    const proofOf = (fresh: WatchedInstance): ProofOrder => ({
      id: "p1",
      instances: [fresh],
      ...NEED,
      deadlineMs: 15_000,
    });

    test("a healthy venue gives evidence, and a good instance is proved", async () => {
      const { watcher, fresh } = await started();
      watcher.mark(MARK);
      const verdict = await watcher.evidence(NEED, new AbortController().signal);
      expect(verdict.state).toBe("healthy");
      const proof = await watcher.prove(proofOf(fresh), new AbortController().signal);
      expect(proof).toMatchObject({ kind: "proved" });
      expect(proof.outcomes).toBeGreaterThanOrEqual(3 * 92);
    });

    test("a bad instance is refuted, with a reason", async () => {
      const { watcher, fresh, failNew } = await started();
      failNew(true);
      const proof = await watcher.prove(proofOf(fresh), new AbortController().signal);
      expect(proof).toMatchObject({ kind: "refuted", reason: expect.stringMatching(/./) as string });
      expect("failed" in proof && proof.failed > 0).toBe(true);
    });

    test("a venue in trouble gives no evidence until it is well again", async () => {
      const { watcher, until, failAll } = await started();
      await until("healthy");
      failAll(true);
      await until("disturbed");
      let isGiven = false;
      const evidence = watcher.evidence(NEED, new AbortController().signal).then((verdict) => {
        isGiven = true;
        return verdict;
      });
      await Promise.resolve();
      expect(isGiven).toBe(false);
      failAll(false);
      expect((await evidence).state).toBe("healthy");
    });

    test("evidence and proof reject with the reason of the abort, and only then", async () => {
      const { watcher, until, failAll, fresh } = await started();
      await until("healthy");
      failAll(true);
      await until("disturbed");
      const [one, other] = [new AbortController(), new AbortController()];
      const [evidence, proof] = [watcher.evidence(NEED, one.signal), watcher.prove(proofOf(fresh), other.signal)];
      const reason = new Error("the operator said stop");
      one.abort(reason);
      other.abort(reason);
      await expect(evidence).rejects.toBe(reason);
      await expect(proof).rejects.toBe(reason);
      await expect(watcher.evidence(NEED, one.signal)).rejects.toBe(reason);
    });

    test("verdicts are pushed when they change, never twice the same", async () => {
      const { until, failAll, verdicts } = await started();
      await until("healthy");
      failAll(true);
      await until("disturbed");
      failAll(false);
      await until("healthy");
      const told = verdicts().map(({ state, regions }) => `${state} ${regions.join()}`);
      expect(told.filter((verdict, index) => verdict === told[index - 1])).toEqual([]);
      expect(verdicts().every(({ reason }) => reason !== "")).toBe(true);
    });

    test("after stop nothing is said any more, and stopping again is harmless", async () => {
      const { watcher, until, verdicts, failAll } = await started();
      await until("healthy");
      await watcher.stop();
      const said = verdicts().length;
      failAll(true);
      await watcher.stop();
      expect(verdicts()).toHaveLength(said);
    });
  });
};
