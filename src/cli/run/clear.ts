import { certifiedFiles, fingerprintOf } from "../../rehearsal/certificate/certify.ts";
import { openEnvelope, signerOf, type Certificate } from "../../rehearsal/certificate/envelope.ts";
import type { TrustedKey } from "../../rehearsal/certificate/key.ts";
import {
  changedFacts,
  objectionsTo,
  type FactsOfNow,
  type Intended,
  type Objection,
} from "../../rehearsal/certificate/objections.ts";
import { isTakingBack } from "../../engine/phases/asked.ts";
import { mayApprove, type Clearance } from "../../engine/clearance.ts";
import type { Run } from "../../engine/run.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { utc } from "../../events/utc.ts";
import { keptCertificates, openedOrNone, readCertificate, type KeptCertificate } from "../files/certificate-files.ts";
import type { CliIo } from "../io.ts";
import { ownNames, trustedKeys } from "../files/keys.ts";
import type { Loaded } from "../files/load.ts";
import type { Permit } from "./permit.ts";
import { login, type State } from "./state.ts";

/** What lets a run begin. `certificate`: its text, of which the run keeps a copy. */
export type Cleared = { readonly clearance: Clearance; readonly certificate?: string };

/** The facts of production as they are now. Called only when a certificate is there to be compared with them. */
export type FactsNow = (loaded: Loaded) => Promise<FactsOfNow>;

export type ClearOrder = {
  readonly io: CliIo;
  readonly loaded: Loaded;
  readonly state: State;
  readonly permit: Permit;
  readonly facts: FactsNow;
};

/**
 * The gate of production: a certificate for exactly this, or an override with its reason. Nothing is touched before it.
 * Undefined where the environment's class asks for none. Rejects `CERTIFICATE_…`, `APPROVER_SIGNED`, `BadInput`.
 */
export async function clear(order: ClearOrder): Promise<Cleared | undefined> {
  const { io, loaded, permit } = order;
  if (loaded.environment.class !== "production") {
    if (permit.kind === "override" || permit.file !== undefined)
      io.say(`${loaded.environment.name} is of class ${loaded.environment.class} and asks for no certificate`);
    return undefined;
  }
  if (permit.kind === "override") return { clearance: overrideBy(permit.because) };
  const { certificate, kept, key } = await examined(order);
  const clearance = clearanceOf(certificate, key, loaded);
  refuseSigner(io, clearance);
  return { clearance, certificate: new TextDecoder().decode(kept.bytes) };
}

/**
 * The same gate for a run that goes on: nothing is taken from its journal on trust, for journals can be written by hand. An undo passes always.
 * Resolves with what replaces the clearance that the run was opened with, if anything does.
 */
export async function clearAgain(
  order: Omit<ClearOrder, "facts"> & { readonly run: Run },
): Promise<Clearance | undefined> {
  const { io, loaded, run, state, permit } = order;
  const isProduction = loaded.environment.class === "production" || run.graph.class === "production";
  if (!isProduction || goesBackAnyway(run)) return undefined;
  if (permit.kind === "override") return overrideBy(permit.because);
  const { clearance } = run;
  if (clearance === undefined)
    throw new UpgradeError(
      "CERTIFICATE_MISSING",
      `run ${run.id} was opened without a certificate, and without a reason to go without one`,
      {
        hint: `take it back with \`midflight rollback ${run.id}\`, or go on: --without-certificate --because "…"`,
      },
    );
  if (clearance.kind === "override") return undefined;
  const copy = await state.store.getFile(run.id, CERTIFICATE_COPY);
  if (copy === undefined)
    throw new UpgradeError("CERTIFICATE_MISSING", `the copy of its certificate is gone from run ${run.id}`, {
      hint: hintFor(order, run.id),
    });
  const name = state.store.pathOf(run.id, CERTIFICATE_COPY);
  const certificate = openEnvelope(Buffer.from(copy), name);
  const key = signerOf(certificate, await trustedKeys(loaded.environment), name);
  const others: readonly Objection[] = [
    ...(certificate.sha256 === clearance.sha256
      ? []
      : [{ code: "CERTIFICATE_MISMATCH" as const, text: "it is not the one that the run was opened with" }]),
    ...(fingerprintOf(run.graph) === fingerprintOf(loaded.graph)
      ? []
      : [
          {
            code: "CERTIFICATE_MISMATCH" as const,
            text: "the journal tells of other steps than the run's copies of its files",
          },
        ]),
  ];
  refuse(
    name,
    [...others, ...objectionsTo(certificate.statement.predicate, intendedBy(loaded), now(order))],
    hintFor(order, run.id),
  );
  const renewed = clearanceOf(certificate, key, loaded);
  refuseSigner(io, renewed);
  return renewed;
}

/** A run that is resumed while new instances are under suspicion turns back. */
const goesBackAnyway = (run: Run): boolean =>
  isTakingBack(run) || (run.phase.kind === "withdrawn" && run.phase.why === undefined) || run.phase.kind === "ended";

/** In a run's folder. */
export const CERTIFICATE_COPY = "certificate.json";

export type Examined = {
  readonly kept: KeptCertificate;
  readonly certificate: Certificate;
  readonly key: TrustedKey;
};

/** Finds the certificate that is meant, and verifies everything about it but who uses it. Rejects with everything that speaks against it. */
export async function examined(order: ClearOrder): Promise<Examined> {
  const { io, loaded, permit } = order;
  const keys = await trustedKeys(loaded.environment);
  if (permit.kind === "certificate" && permit.file !== undefined)
    return examine(order, await readCertificate(io, permit.file), keys);
  const { exact, others } = await keptCertificates(order.state.shelf, loaded.environment.name, loaded.planFingerprint);
  let first: UpgradeError | undefined;
  for (const kept of exact) {
    try {
      return await examine(order, kept, keys);
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      first ??= error;
    }
  }
  if (first !== undefined) throw first;
  const former = others.find((kept) => isFormer(kept, loaded, keys));
  if (former !== undefined) return examine(order, former, keys);
  throw new UpgradeError(
    "CERTIFICATE_MISSING",
    `there is no certificate for ${loaded.plan.name} (${loaded.planFingerprint.slice(0, 19)}…) on ${loaded.environment.name} in ${order.state.shelf.pathOf(`certificates/${loaded.environment.name}`)}`,
    { hint: hintFor(order) },
  );
}

/** Whether it was earned by an earlier version of this plan: then it can say what changed. */
function isFormer(kept: KeptCertificate, loaded: Loaded, keys: readonly TrustedKey[]): boolean {
  const certificate = openedOrNone(kept);
  return (
    certificate?.statement.predicate.plan.name === loaded.plan.name && keys.some(({ id }) => id === certificate.keyId)
  );
}

async function examine(order: ClearOrder, kept: KeptCertificate, keys: readonly TrustedKey[]): Promise<Examined> {
  const certificate = openEnvelope(kept.bytes, kept.name);
  const key = signerOf(certificate, keys, kept.name);
  const about = certificate.statement.predicate;
  const objections = objectionsTo(about, intendedBy(order.loaded), now(order));
  // A certificate for something else says nothing of facts.
  const facts = objections.length === 0 ? changedFacts(about, await order.facts(order.loaded)) : [];
  refuse(kept.name, [...objections, ...facts], hintFor(order));
  return { kept, certificate, key };
}

const intendedBy = (loaded: Loaded): Intended => ({
  planFingerprint: loaded.planFingerprint,
  files: certifiedFiles(loaded.files),
  graph: loaded.graph,
  ...(loaded.environment.rehearsedIn === undefined ? {} : { rehearsedIn: loaded.environment.rehearsedIn }),
  soakMs: loaded.plan.rehearsal.soakMs,
});

function refuse(name: string, objections: readonly Objection[], hint: string): void {
  const [first] = objections;
  if (first === undefined) return;
  throw new UpgradeError(first.code, `${name} does not clear this: ${objections.map(({ text }) => text).join("; ")}`, {
    hint,
  });
}

function clearanceOf(certificate: Certificate, key: TrustedKey, loaded: Loaded): Clearance {
  const { signer, validUntil } = certificate.statement.predicate;
  const where = `${signer.user}@${signer.host}`;
  return {
    kind: "certificate",
    sha256: certificate.sha256,
    key: key.name,
    keyId: key.id,
    signer: where,
    validUntil,
    ...(loaded.environment.approval.notBySigner ? { notBy: [signer.user, where, signer.key, key.name] } : {}),
  };
}

/** To start an upgrade is to approve it. */
function refuseSigner(io: CliIo, clearance: Clearance): void {
  if (clearance.kind !== "certificate") return;
  const own = ownNames(io).find((name) => !mayApprove(clearance, name));
  if (own === undefined) return;
  throw new UpgradeError(
    "APPROVER_SIGNED",
    `${own} signed the certificate, and the environment file wants somebody else to say yes`,
    {
      hint: "ask a colleague to start it",
    },
  );
}

const overrideBy = (because: string): Clearance => ({ kind: "override", because, by: login() });

const now = ({ state }: Pick<ClearOrder, "state">): string => utc(state.clock.now());

const hintFor = ({ loaded }: Pick<ClearOrder, "loaded">, run?: string): string =>
  [
    `rehearse it: midflight rehearse ${loaded.given.plan} --env ${loaded.environment.rehearsedIn ?? "demo"} --for ${loaded.environment.name};`,
    ...(run === undefined ? [] : [`or take it back: midflight rollback ${run};`]),
    'in an emergency: --without-certificate --because "…"',
  ].join(" ");
