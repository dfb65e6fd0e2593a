import type { Region } from "./config.ts";
import type { Plant } from "./schedule.ts";
import { classOfCode, classOfStatus } from "./outcome-classes.ts";
import type { AnswerClass } from "./outcome-classes.ts";

export type Operation = "order" | "amend" | "cancel";

/** `failed` and `ambiguous` are failures; `rejected` is a refusal on the merits; `planted` is the user's own doing. */
export type OutcomeClass = "ok" | "failed" | "ambiguous" | "rejected" | "planted";

/** One attempt and what came of it. Never retried under the same record. */
export type Outcome = {
  /** Issue time, ms since the epoch. */
  readonly at: number;
  /** From issue to the answer, or to giving up. */
  readonly ms: number;
  readonly op: Operation;
  readonly uid: string;
  readonly cohort: string;
  readonly region: Region;
  /** "unknown" where nobody answered. */
  readonly release: string;
  readonly instance: string;
  readonly protocol: "rest" | "ws";
  readonly class: OutcomeClass;
  /** An OKX code, or one of ours: `refused`, `cut`, `timeout`, `http-502`, `state-wrong`, a plant. */
  readonly code: string;
  readonly http?: number;
};

/** Where an answer came from. */
export type Origin = { readonly release: string; readonly instance: string };

/** What the attempt brought back. */
export type Reply =
  | {
      readonly kind: "answer";
      /** The row's sCode, or the envelope's code. Undefined: the body was no OKX answer. */
      readonly code: string | undefined;
      readonly http?: number;
      readonly ordId?: string;
      readonly isNoise: boolean;
      readonly origin: Origin;
    }
  | { readonly kind: "refused"; readonly origin?: Origin }
  | { readonly kind: "cut"; readonly byUser: boolean; readonly origin?: Origin }
  | { readonly kind: "timeout"; readonly origin?: Origin };

/** `mayHaveLanded`: the order must be asked for before anything is believed about it. */
export type Judgement = { readonly class: OutcomeClass; readonly code: string; readonly mayHaveLanded: boolean };

/** Judges a reply by the table of outcome classes. A plant or the gateway's seeded noise is never the venue's failure. */
export const judge = (reply: Reply, plant: Plant | undefined): Judgement => {
  const plain = judgePlain(reply);
  if (plant !== undefined) return { ...plain, class: "planted", code: plant };
  const isPlanted =
    (reply.kind === "cut" && reply.byUser) || (reply.kind === "answer" && reply.isNoise && plain.class !== "ok");
  return isPlanted ? { ...plain, class: "planted" } : plain;
};

const judgePlain = (reply: Reply): Judgement => {
  switch (reply.kind) {
    case "refused":
      return { class: "failed", code: "refused", mayHaveLanded: false };
    case "cut":
      return { class: "ambiguous", code: "cut", mayHaveLanded: true };
    case "timeout":
      return { class: "ambiguous", code: "timeout", mayHaveLanded: true };
    case "answer": {
      const { kind, mayHaveLanded } =
        reply.code === undefined ? classOfStatus(reply.http ?? 0) : classOfCode(reply.code);
      return { class: OUTCOME[kind], code: reply.code ?? `http-${reply.http ?? 0}`, mayHaveLanded };
    }
  }
};

const OUTCOME: Readonly<Record<AnswerClass, OutcomeClass>> = {
  ok: "ok",
  F: "failed",
  A: "ambiguous",
  M: "failed",
  R: "failed",
  U: "failed",
  B: "rejected",
};

/** Whether the outcome counts against the venue. */
export const isFailure = (kind: OutcomeClass): boolean => kind === "failed" || kind === "ambiguous";
