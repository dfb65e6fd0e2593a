import { expect, test } from "vitest";
import { checkSecrets } from "../../../src/plan/check-secrets.ts";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { changed, ENVIRONMENT, located } from "./plans.ts";

const IMAGE = `registry/midflight@sha256:${"a".repeat(64)}`;
const placed = (place: string, accounts = "{ env: PROBES_TOKYO }") =>
  located(
    parseEnvironment(
      changed(ENVIRONMENT, [
        [
          "accounts: { env: PROBES_TOKYO } } }",
          `accounts: ${accounts} }, in: { context: prod, namespace: trading, ${place} } }`,
        ],
      ]),
      "production.yaml",
    ),
  );
const messages = (environment: ReturnType<typeof placed>): readonly string[] =>
  checkEnvironment(environment).map(({ message }) => message);

test("an environment says where a region's probes run, and their secrets are asked of nobody here", () => {
  const environment = placed(`image: "${IMAGE}", env: probe-secrets`);
  expect(messages(environment)).toEqual([]);
  expect(environment.value.regions["tokyo"]?.probe?.in).toEqual({
    context: "prod",
    namespace: "trading",
    image: IMAGE,
    env: "probe-secrets",
  });
  expect(checkSecrets(environment, {}).map(({ message }) => message.split(" ")[3])).toEqual([
    "PROBES_FRANKFURT",
    "ORDERS_DB_URL",
  ]);
});

test("an image that may change, a secret that nothing brings and a file of this machine are refused", () => {
  expect(messages(placed("image: registry/midflight:1, env: probe-secrets"))).toEqual([
    "registry/midflight:1 may be another image tomorrow",
  ]);
  expect(messages(placed(`image: "${IMAGE}"`))).toEqual([
    "no Secret is named that brings PROBES_TOKYO to the probes of tokyo: the probe accounts of tokyo",
  ]);
  expect(messages(placed(`image: "${IMAGE}", env: probe-secrets`, "{ file: accounts.json }"))).toEqual([
    "the probe accounts of tokyo would be read from a file of this machine, and its probes run elsewhere",
  ]);
});
