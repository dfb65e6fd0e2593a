import { createPrivateKey } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepCertificate } from "../../src/cli/files/certificate-files.ts";
import { liveFacts } from "../../src/cli/facts/collect-facts.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { loadFiles, type Loaded } from "../../src/cli/files/load.ts";
import { fileState } from "../../src/cli/wiring/state.ts";
import { certifiedFiles, certify, type Passed } from "../../src/rehearsal/certificate/certify.ts";
import { seal } from "../../src/rehearsal/certificate/envelope.ts";
import { certifiedFacts } from "../../src/rehearsal/parity/certified-facts.ts";
import type { FactsOfNow } from "../../src/rehearsal/certificate/objections.ts";
import { keyIdOf, newKey, type SigningKey } from "../../src/rehearsal/certificate/key.ts";

const DAY_MS = 86_400_000;

/** A new key; its public half lies beside the environment file, and is trusted there. */
export function trustNewKey(environment: string, name = "rehearsal"): SigningKey {
  const { privatePem, publicKey } = newKey();
  const folder = join(dirname(environment), "keys");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.pub.json`), JSON.stringify({ midflight: 1, name, publicKey }));
  const text = readFileSync(environment, "utf8").replace(/^trusts:.*\n/m, "");
  writeFileSync(environment, `${text}trusts: [./keys/${name}.pub.json]\n`);
  return signingKeyOf(name, privatePem);
}

export const strangeKey = (name = "stranger"): SigningKey => signingKeyOf(name, newKey().privatePem);

function signingKeyOf(name: string, pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  return { name, id: keyIdOf(privateKey), privateKey };
}

/** `facts`: those of the world; without it, what the files tell alone. */
type Files = {
  readonly plan: string;
  readonly environment: string;
  readonly facts?: (loaded: Loaded) => Promise<FactsOfNow>;
};

/** A certificate as a passed rehearsal of exactly these files would earn it, but for the changes. */
export async function certificateFor(
  files: Files,
  key: SigningKey,
  change: (passed: Passed) => Passed = (passed) => passed,
): Promise<string> {
  const loaded = await loaderOf(files);
  return seal(certify(change(passedBy(loaded, key, await (files.facts ?? factsOfFiles)(loaded)))), key);
}

/** Where `upgrade` looks by itself. Resolves with the path. */
export const keep = (state: string, text: string): Promise<string> => keepCertificate(fileState(state).shelf, text);

/** What is known without asking anybody. */
export const factsOfFiles = ({ graph }: Loaded): Promise<FactsOfNow> => Promise.resolve(certifiedFacts(graph, []));

/** What `upgrade` itself would find. */
export const factsWith =
  (env: Readonly<Record<string, string>>, cwd: string) =>
  (loaded: Loaded): Promise<FactsOfNow> =>
    liveFacts({ env, cwd } as CliIo, loaded);

const loaderOf = ({ plan, environment }: Files): Promise<Loaded> =>
  loadFiles({ cwd: dirname(dirname(plan)) } as CliIo, {
    plan,
    environment,
    releases: join(dirname(plan), "releases.yaml"),
  });

function passedBy(loaded: Loaded, key: SigningKey, { facts, dependsOn }: FactsOfNow): Passed {
  const now = Date.now();
  return {
    midflight: "0.0.0",
    planFingerprint: loaded.planFingerprint,
    files: certifiedFiles(loaded.files),
    demo: { graph: { ...loaded.graph, environment: "demo", class: "demo" }, facts: [] },
    production: { graph: loaded.graph, facts },
    dependsOn,
    allows: [],
    drills: [{ name: "the whole plan", step: "plan", kind: "walk", outcome: "passed", ms: 1, detail: "promoted" }],
    streams: [],
    soak: { askedMs: loaded.plan.rehearsal.soakMs, healthyMs: loaded.plan.rehearsal.soakMs },
    signer: { key: key.name, user: "alice", host: "build-1" },
    signedAt: now - 1_000,
    validFrom: now - 1_000,
    validForMs: DAY_MS,
  };
}
