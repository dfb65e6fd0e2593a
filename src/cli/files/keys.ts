import { createPrivateKey, type KeyObject } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { BadInput, type Problem } from "../../errors/problem.ts";
import type { Environment } from "../../plan/model.ts";
import { parsePublicKey } from "../../plan/parse-public-key.ts";
import { unreadable } from "../../plan/source/decode-source.ts";
import { keyIdOf, trustedKey, type SigningKey, type TrustedKey } from "../../rehearsal/certificate/key.ts";
import type { RehearsalPredicate } from "../../rehearsal/certificate/statement.ts";
import type { CliIo } from "../io.ts";
import { readRegular } from "./load.ts";
import { login } from "../run/state.ts";

/** The keys that an environment file believes, read from beside it. Throws `BadInput` with everything that is wrong with any of them. */
export async function trustedKeys(environment: Environment): Promise<readonly TrustedKey[]> {
  const read = await Promise.all(
    environment.trusts.map(async (name) => {
      const path = resolve(dirname(environment.file), name);
      try {
        return parsePublicKey(await readRegular(path), path);
      } catch (error) {
        return { ok: false as const, problems: [{ ...unreadable(path, codeOf(error)), hint: MISSING }] };
      }
    }),
  );
  const problems = read.flatMap((one): readonly Problem[] => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw new BadInput(problems);
  return read.flatMap((one) => (one.ok ? [trustedKey(one.located.value.name, one.located.value.publicKey)] : []));
}

const MISSING = "check the path under `trusts`, relative to the environment file; `midflight keys new` makes a pair";

/** The private half, as `midflight keys new` wrote it. Rejects `SIGNING_KEY_UNUSABLE`. */
export async function signingKey(io: CliIo, file: string): Promise<SigningKey> {
  const path = resolve(io.cwd, file);
  const pem = await readClosed(path);
  const privateKey = privateKeyIn(pem, path);
  return { name: basename(path).replace(/\.pem$/, ""), id: keyIdOf(privateKey), privateKey };
}

/** Who signs, as a certificate tells it. */
export const signerWith = (key: SigningKey): RehearsalPredicate["signer"] => ({
  key: key.name,
  user: login(),
  host: hostname(),
});

/** Everything that this person may be called: by the system, and before they became another user. */
export const ownNames = (io: CliIo): readonly string[] =>
  [login(), io.env["SUDO_USER"] ?? ""].filter((name) => name !== "");

async function readClosed(path: string): Promise<string> {
  const handle = await open(path).catch((cause: unknown) => {
    throw unusable(path, `it cannot be read (${codeOf(cause)})`, "make one with `midflight keys new`", cause);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw unusable(path, "it is no regular file", "name the file that `midflight keys new` wrote");
    if (process.platform !== "win32" && (stat.mode & OTHERS) !== 0)
      throw unusable(path, "other users of this machine may read it", `close it: chmod 600 ${path}`);
    if (stat.size > MOST_BYTES) throw unusable(path, "it is no key", "name the file that `midflight keys new` wrote");
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

const OTHERS = 0o077;
const MOST_BYTES = 10_000;

function privateKeyIn(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw unusable(path, "it holds no private key in PEM", "name the file that `midflight keys new` wrote", cause);
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  throw unusable(path, `it is a key of type ${key.asymmetricKeyType ?? "?"}`, "certificates are signed with Ed25519");
}

/** Writes a pair, or nothing. Rejects where one of the files is there already. */
export async function writePair(
  files: { readonly privateFile: string; readonly publicFile: string },
  texts: { readonly privateText: string; readonly publicText: string },
): Promise<void> {
  await writeNew(files.privateFile, texts.privateText, 0o600);
  try {
    await writeNew(files.publicFile, texts.publicText, 0o644);
  } catch (error) {
    await rm(files.privateFile, { force: true });
    throw error;
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, "wx", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "EIO";

const unusable = (path: string, why: string, hint: string, cause?: unknown): UpgradeError =>
  new UpgradeError("SIGNING_KEY_UNUSABLE", `the key ${path} cannot sign: ${why}`, { hint, cause });
