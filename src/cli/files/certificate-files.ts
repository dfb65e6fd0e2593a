import { resolve } from "node:path";
import { BadInput } from "../../errors/problem.ts";
import { unreadable } from "../../plan/source/decode-source.ts";
import type { Shelf } from "../../ports/shelf.ts";
import { openEnvelope, type Certificate } from "../../rehearsal/certificate/envelope.ts";
import type { CliIo } from "../io.ts";
import { readRegular } from "./load.ts";

/** A certificate with its bytes and a name for messages. */
export type KeptCertificate = { readonly name: string; readonly bytes: Uint8Array };

/** A certificate may name thousands of facts and drills. */
const MOST_BYTES = 16_000_000;

/** Puts a certificate where `upgrade` of that environment finds it. Resolves with its path. */
export async function keepCertificate(shelf: Shelf, text: string): Promise<string> {
  const { plan, production, signedAt } = openEnvelope(Buffer.from(text), "the certificate").statement.predicate;
  const name = `${folderOf(production.name)}/${prefixOf(plan.fingerprint)}${signedAt.replaceAll(/[^0-9]/g, "")}.json`;
  await shelf.put(name, text);
  return shelf.pathOf(name);
}

/** Certificates kept for an environment, newest first; those for exactly this plan before others. */
export async function keptCertificates(
  shelf: Shelf,
  environment: string,
  planFingerprint: string,
): Promise<{ readonly exact: readonly KeptCertificate[]; readonly others: readonly KeptCertificate[] }> {
  const names = (await shelf.list(folderOf(environment))).filter((name) => NAME.test(name));
  const isExact = (name: string) => name.startsWith(prefixOf(planFingerprint));
  const read = async (some: readonly string[]) =>
    (
      await Promise.all(
        some.map(async (name): Promise<readonly KeptCertificate[]> => {
          const path = `${folderOf(environment)}/${name}`;
          const text = await shelf.get(path);
          return text === undefined ? [] : [{ name: shelf.pathOf(path), bytes: Buffer.from(text) }];
        }),
      )
    ).flat();
  const newestFirst = names.toSorted((a, b) => (stampOf(a) < stampOf(b) ? 1 : -1));
  return {
    exact: await read(newestFirst.filter((name) => isExact(name))),
    others: await read(newestFirst.filter((name) => !isExact(name)).slice(0, MOST_OTHERS)),
  };
}

/** Of other plans or of other versions of this one; looked at only to say what changed. */
const MOST_OTHERS = 20;

/** Reads the certificate that a person names. Throws `BadInput` for what is no file. */
export async function readCertificate(io: CliIo, file: string): Promise<KeptCertificate> {
  try {
    return { name: file, bytes: await readRegular(resolve(io.cwd, file), MOST_BYTES) };
  } catch (error) {
    const problem = unreadable(file, (error as NodeJS.ErrnoException).code ?? "EIO");
    throw new BadInput([
      { ...problem, hint: "check the path; `midflight rehearse` says where it wrote a certificate" },
    ]);
  }
}

/** Undefined for what is no certificate. */
export function openedOrNone({ name, bytes }: KeptCertificate): Certificate | undefined {
  try {
    return openEnvelope(bytes, name);
  } catch {
    return undefined;
  }
}

/** `<64 hex digits of the plan>-<when it was signed>.json`. */
const NAME = /^[0-9a-f]{64}-\d{17}\.json$/;
const folderOf = (environment: string): string => `certificates/${environment}`;
const prefixOf = (planFingerprint: string): string => `${planFingerprint.slice("sha256:".length)}-`;
const stampOf = (name: string): string => name.slice(-22);
