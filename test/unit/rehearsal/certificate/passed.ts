import { createPrivateKey } from "node:crypto";
import { certifiedFiles, certify, type Passed } from "../../../../src/rehearsal/certificate/certify.ts";
import { seal } from "../../../../src/rehearsal/certificate/envelope.ts";
import {
  keyIdOf,
  newKey,
  trustedKey,
  type SigningKey,
  type TrustedKey,
} from "../../../../src/rehearsal/certificate/key.ts";
import type { Intended } from "../../../../src/rehearsal/certificate/objections.ts";
import type { Statement } from "../../../../src/rehearsal/certificate/statement.ts";
import { planFingerprint } from "../../../../src/graph/fingerprint.ts";
import type { Graph } from "../../../../src/graph/graph.ts";
import { sha256 } from "../../../../src/cli/files/sha256.ts";
import { graphOf } from "../../engine/graph.ts";

export const SIGNED_AT = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
export const NOW = "2026-11-21T13:00:00.000Z";

const TARGET = { release: "gateway@2.0", digest: `sha256:${"1".repeat(64)}` };
export const PRODUCTION: Graph = { ...graphOf({ target: TARGET }), environment: "production", class: "production" };
export const FILES = [
  { name: "plan.yaml", text: "midflight: 1\nplan: p\n" },
  { name: "releases.yaml", text: "midflight: 1\nreleases: {}\n" },
  { name: "migrations/db/0001_x.up.sql", text: "create table x ();\n" },
];
export const FACTS = [
  { id: "db/schema", value: "sha256:aa" },
  { id: "gateway/instances", value: "6" },
  { id: "host/name", value: "a" },
];

export const PASSED: Passed = {
  midflight: "0.1.0",
  planFingerprint: planFingerprint(FILES, sha256),
  files: certifiedFiles(FILES),
  demo: { graph: { ...PRODUCTION, environment: "demo", class: "demo" }, facts: [] },
  production: { graph: PRODUCTION, facts: FACTS },
  dependsOn: ["db/schema", "gateway/instances"],
  allows: [{ file: "orders-db/0001_a.up.sql", line: 3, rule: "unbounded-write", reason: "ten rows" }],
  drills: [
    { name: "the whole plan", step: "plan", kind: "walk", outcome: "passed", ms: 60_000.5, detail: "promoted" },
    {
      name: "a server dies",
      step: "plan",
      kind: "fault",
      outcome: "skipped",
      ms: 0,
      detail: "no server 'ß' \u202e ??????",
    },
  ],
  streams: [{ operation: "order", region: "tokyo", release: "gateway@2.0", issued: 1_000, failed: 1 }],
  soak: { askedMs: 10_000, healthyMs: 10_000 },
  signer: { key: "rehearsal", user: "alice", host: "build-1" },
  signedAt: SIGNED_AT,
  validFrom: SIGNED_AT,
  validForMs: 7 * 24 * HOUR,
};

export const INTENDED: Intended = {
  planFingerprint: PASSED.planFingerprint,
  files: PASSED.files,
  graph: PRODUCTION,
  rehearsedIn: "demo",
  soakMs: 10_000,
};

export const STATEMENT: Statement = certify(PASSED);

export type Pair = { readonly signing: SigningKey; readonly trusted: TrustedKey };

export function pair(name: string): Pair {
  const { privatePem, publicKey } = newKey();
  const privateKey = createPrivateKey(privatePem);
  return { signing: { name, id: keyIdOf(privateKey), privateKey }, trusted: trustedKey(name, publicKey) };
}

export const KEY = pair("rehearsal");
export const CERTIFICATE = Buffer.from(seal(STATEMENT, KEY.signing));
