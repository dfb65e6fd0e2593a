import { valuesOf, type PlacedValue } from "../values-of.ts";
import type { EnvironmentRule } from "./rule.ts";

/** A file that is reviewed and copied holds no secret. */
export const noSecrets: EnvironmentRule = (environment) =>
  valuesOf(environment)
    .filter((placed) => isSecret(placed))
    .map(({ path, what }) => ({
      code: "SECRET_IN_FILE",
      message: `${what} stands in this file and is a secret, or holds one`,
      path,
      hint: "write { env: NAME } or { file: PATH } instead, and change the secret",
    }));

const SECRET_NAME = /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|PRIVATE_KEY|API_KEY|KEY_SEED|CREDENTIALS?)$/i;

function isSecret({ value, path }: PlacedValue): boolean {
  if (typeof value !== "string" || value === "") return false;
  const last = String(path.at(-1));
  if (last === "accounts") return true;
  // A path is none; the kubeconfig itself is full of them.
  if (last === "kubeconfig") return value.includes("\n");
  return (
    /:\/\/[^\s/@]*:[^\s/@]+@/.test(value) || /[?&](password|token|secret|key)=/i.test(value) || SECRET_NAME.test(last)
  );
}
