import * as z from "zod";
import type { Allowance } from "./allows-of.ts";
import { havePassed, type Drill } from "./drill.ts";

/** Time in which demo carried the new release. `segments`: from and to, ms since the epoch, in which the guard said healthy. */
export type SoakRecord = {
  readonly askedMs: number;
  readonly healthyMs: number;
  readonly segments: readonly (readonly [from: number, to: number])[];
  /** What the guard counted meanwhile. */
  readonly streams: readonly SoakStream[];
};

/** Operations of one kind in one region, by whoever sent them. */
export type SoakStream = {
  readonly operation: string;
  readonly region: string;
  readonly release: string;
  readonly issued: number;
  readonly failed: number;
};

/** What a rehearsal did and found. Kept on disk after every drill, so that a soak can go on another day. */
export type Rehearsal = {
  readonly midflight: 1;
  readonly plan: string;
  readonly planFingerprint: string;
  readonly environments: readonly [demo: string, production: string];
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isQuick: boolean;
  /** What demo does smaller than production. */
  readonly scaled: readonly string[];
  /** What the migrations' authors let rules overlook. */
  readonly allows: readonly Allowance[];
  readonly drills: readonly Drill[];
  /** How long each move of the whole plan took in demo, ms. */
  readonly moves: readonly { readonly move: string; readonly ms: number }[];
  readonly soak: SoakRecord;
};

/** Whether everything passed that a certificate needs. */
export const isComplete = (rehearsal: Rehearsal): boolean =>
  !rehearsal.isQuick &&
  havePassed(rehearsal.drills) &&
  rehearsal.drills.some(({ kind, outcome }) => kind === "walk" && outcome === "passed") &&
  rehearsal.drills.some(({ kind, outcome }) => kind === "soak" && outcome === "passed");

/** Whether only the soak is missing. */
export const awaitsSoak = (rehearsal: Rehearsal): boolean =>
  !rehearsal.isQuick &&
  havePassed(rehearsal.drills) &&
  rehearsal.moves.length > 0 &&
  rehearsal.drills.some(({ kind }) => kind === "walk") &&
  !rehearsal.drills.some(({ kind }) => kind === "soak");

const drill = z.strictObject({
  name: z.string(),
  step: z.string(),
  kind: z.enum(["lint", "parity", "trial", "undo", "fault", "dark", "walk", "pair", "backup", "soak"]),
  outcome: z.enum(["passed", "failed", "skipped"]),
  ms: z.number(),
  detail: z.string(),
  statements: z
    .array(
      z.strictObject({
        name: z.string(),
        lock: z.string().exactOptional(),
        tables: z.array(z.string()),
        ms: z.number(),
        heldMs: z.number(),
      }),
    )
    .exactOptional(),
});

const schema = z.strictObject({
  midflight: z.literal(1),
  plan: z.string(),
  planFingerprint: z.string(),
  environments: z.tuple([z.string(), z.string()]),
  startedAt: z.number(),
  endedAt: z.number(),
  isQuick: z.boolean(),
  scaled: z.array(z.string()),
  allows: z
    .array(z.strictObject({ file: z.string(), line: z.number(), rule: z.string(), reason: z.string() }))
    .default([]),
  drills: z.array(drill),
  moves: z.array(z.strictObject({ move: z.string(), ms: z.number() })),
  soak: z.strictObject({
    askedMs: z.number(),
    healthyMs: z.number(),
    segments: z.array(z.tuple([z.number(), z.number()])),
    streams: z.array(
      z.strictObject({
        operation: z.string(),
        region: z.string(),
        release: z.string(),
        issued: z.number(),
        failed: z.number(),
      }),
    ),
  }),
});

/** What was kept; undefined for anything else. */
export function readRehearsal(text: string): Rehearsal | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
