import { httpProbesIn } from "../http-probes-in.ts";
import type { HttpProbe } from "../model.ts";
import type { Complaint, Path } from "../source/source.ts";
import { valuesOf, type PlacedValue } from "../values-of.ts";
import type { EnvironmentRule } from "./rule.ts";

/** A file that is reviewed and copied holds no secret. */
export const noSecrets: EnvironmentRule = (environment) => [
  ...valuesOf(environment)
    .filter((placed) => isSecret(placed))
    .map((placed) => complaint(placed, "write { env: NAME } or { file: PATH } instead, and change the secret")),
  ...httpProbesIn(environment).flatMap(({ probe, path }) => inRequests(probe, path)),
];

const complaint = ({ path, what }: Omit<PlacedValue, "value">, hint: string): Complaint => ({
  code: "SECRET_IN_FILE",
  message: `${what} stands in this file and is a secret, or holds one`,
  path,
  hint,
});

const SECRET_NAME = /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|PRIVATE_?KEY|API_?KEY|KEY_SEED|CREDENTIALS?)$/i;
const SECRET_IN_URL = /:\/\/[^\s/@]*:[^\s/@]+@|[?&](password|token|secret|key)=[^{&]/i;

function isSecret({ value, path }: PlacedValue): boolean {
  if (typeof value !== "string" || value === "") return false;
  const last = String(path.at(-1));
  if (path[2] === "probe" && (last === "accounts" || last === "cohorts")) return true;
  // A path is none; the kubeconfig itself is full of them.
  if (last === "kubeconfig") return value.includes("\n");
  return SECRET_IN_URL.test(value) || SECRET_NAME.test(last);
}

/** What a request would carry that no placeholder hides. */
function inRequests(probe: HttpProbe, path: Path): readonly Complaint[] {
  const hint = "write a placeholder such as {token}, its value under `values` as { env: NAME }, and change the secret";
  const requests = probe.operations.flatMap(({ name, headers, path: target, shown }) => [
    { headers, target, path: [...path, "operations", name] },
    ...(shown === undefined
      ? []
      : [{ headers: shown.headers, target: shown.path, path: [...path, "operations", name, "shown"] }]),
  ]);
  const targets = [
    { text: probe.url, path: [...path, "url"] },
    ...requests.map(({ target, path: at }) => ({ text: target, path: [...at, "path"] })),
  ];
  return [
    ...targets
      .filter(({ text }) => SECRET_IN_URL.test(text))
      .map((one) => complaint({ path: one.path, what: "an address" }, hint)),
    ...[{ headers: probe.headers, path }, ...requests].flatMap(({ headers, path: at }) =>
      Object.entries(headers)
        .filter(([name, text]) => SECRET_HEADER.test(name) && !/\{[A-Za-z]/.test(text))
        .map(([name]) => complaint({ path: [...at, "headers", name], what: `the header ${name}` }, hint)),
    ),
  ];
}

const SECRET_HEADER = /^(authorization|proxy-authorization|cookie)$|api-?key|token|secret|passphrase|signature/i;
