import * as z from "zod";

/** What a certificate says, in the form of an in-toto Statement v1. The names are names; nothing is fetched from them. */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "https://midflight.dev/rehearsal/v1";

/** One thing that is known of an environment. `value`: a digest or a short text, compared as it stands. */
export type CertifiedFact = z.infer<typeof fact>;
/** A file of the plan: `plan.yaml`, `releases.yaml`, `migrations/orders-db/0001_x.up.sql`; 64 hex digits. */
export type CertifiedFile = z.infer<typeof file>;
/** One of the two environments as the rehearsal saw it: its compiled graph step by step, and its facts. */
export type CertifiedEnvironment = z.infer<typeof environment>;
export type RehearsalPredicate = z.infer<typeof predicate>;
export type Statement = z.infer<typeof statementSchema>;

const text = z.string().max(100_000);
const line = z.string().min(1).max(10_000);
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const ms = z.int().min(0);
/** UTC to the millisecond, in one fixed form: two of them compare as texts. */
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);

const list = <Schema extends z.ZodType>(item: Schema) => z.array(item).max(100_000).readonly();

const fact = z
  .strictObject({ id: line, severity: z.enum(["block", "warn", "info"]).optional(), value: text })
  .readonly();
const file = z.strictObject({ name: line, sha256: hex }).readonly();
const step = z.strictObject({ id: line, title: line }).readonly();
const environment = z
  .strictObject({
    name: line,
    class: z.enum(["demo", "production"]),
    graphFingerprint: digest,
    steps: list(step),
    facts: list(fact),
  })
  .readonly();
const drill = z
  .strictObject({
    name: line,
    step: line,
    kind: line,
    outcome: z.enum(["passed", "failed", "skipped"]),
    ms: z.number().min(0),
    detail: text,
  })
  .readonly();
/** What the guard counted of one operation in one region while the new release stood in demo. */
const stream = z.strictObject({ operation: line, region: line, release: line, issued: ms, failed: ms }).readonly();

const predicate = z
  .strictObject({
    midflight: line,
    plan: z.strictObject({ name: line, fingerprint: digest, files: list(file) }).readonly(),
    releases: list(z.strictObject({ name: line, digest }).readonly()),
    rehearsed: environment,
    production: environment,
    /** Ids of production's facts that this plan depends on: if one of them changes, the certificate no longer holds. */
    dependsOn: list(line),
    /** What the migrations' authors let rules overlook. Absent in certificates of earlier versions. */
    allows: list(z.strictObject({ file: line, line: z.int().min(1), rule: line, reason: line }).readonly()).optional(),
    drills: list(drill),
    guard: z.strictObject({ operations: list(line), falseAlarmEveryMs: ms, streams: list(stream) }).readonly(),
    soak: z.strictObject({ askedMs: ms, healthyMs: ms }).readonly(),
    signer: z.strictObject({ key: line, user: line, host: line }).readonly(),
    signedAt: instant,
    validFrom: instant,
    validUntil: instant,
  })
  .readonly();

export const statementSchema = z
  .strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: list(z.strictObject({ name: line, digest: z.strictObject({ sha256: hex }).readonly() }).readonly()),
    predicateType: z.literal(PREDICATE_TYPE),
    predicate,
  })
  .readonly();

/** What the statement is about: the plan first, then each release. */
export const subjectOf = ({ plan, releases }: Pick<RehearsalPredicate, "plan" | "releases">): Statement["subject"] => [
  { name: `plan/${plan.name}`, digest: { sha256: hexOf(plan.fingerprint) } },
  ...releases.map((one) => ({ name: `release/${one.name}`, digest: { sha256: hexOf(one.digest) } })),
];

export const statementOf = (about: RehearsalPredicate): Statement => ({
  _type: STATEMENT_TYPE,
  subject: subjectOf(about),
  predicateType: PREDICATE_TYPE,
  predicate: about,
});

const hexOf = (prefixed: string): string => prefixed.slice("sha256:".length);
