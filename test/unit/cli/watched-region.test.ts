import { expect, test } from "vitest";
import { watchedRegion } from "../../../src/cli/wiring/probes.ts";
import { Secrets } from "../../../src/cli/wiring/secrets.ts";
import { watchConfig } from "../../../src/cli/wiring/wire.ts";
import { UpgradeError } from "../../../src/errors/upgrade-error.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { plainGuard } from "../../../src/plan/to-plan.ts";
import { paymentEnvironment } from "../../fakes/payment-server.ts";
import { changed, located } from "../plan/plans.ts";

const TEXT = paymentEnvironment("https://pay.example");
const environmentOf = (text: string) => located(parseEnvironment(text, "payments.yaml")).value;
const secretsOf = (cohorts: string) => new Secrets({ PAYMENTS_TOKEN: "s3cret-token", PAYMENTS_COHORTS: cohorts }, "/");

test("a probe over HTTP gets its rules, and each cohort its values and those that all have", () => {
  const secrets = secretsOf('[{"cohort":"eu","merchant":"merchant-1"},{"merchant":"merchant-2","token":"own-token"}]');
  const region = watchedRegion(environmentOf(TEXT), plainGuard(), "tokyo", secrets);
  expect(region.rules?.name).toBe("payments");
  expect(region.accounts).toEqual([]);
  expect(region.cohorts).toEqual([
    { cohort: "eu", values: { token: "s3cret-token", merchant: "merchant-1" } },
    { cohort: "all", values: { token: "own-token", merchant: "merchant-2" } },
  ]);
  expect(secrets.seen()).toEqual(expect.arrayContaining(["s3cret-token", "merchant-1", "merchant-2", "own-token"]));
});

test("without cohorts there is one", () => {
  const text = changed(TEXT, [
    ["        cohorts: { env: PAYMENTS_COHORTS }\n", ""],
    [', x-merchant: "{merchant}"', ""],
  ]);
  expect(watchedRegion(environmentOf(text), plainGuard(), "tokyo", secretsOf("")).cohorts).toEqual([
    { cohort: "all", values: { token: "s3cret-token" } },
  ]);
});

test.each([
  { name: "no JSON", cohorts: "s3cret-cohorts", why: "are no JSON" },
  { name: "no list", cohorts: '{"merchant":"s3cret-cohorts"}', why: "are no list, or an empty one" },
  { name: "an empty list", cohorts: "[]", why: "are no list, or an empty one" },
  { name: "a list of texts", cohorts: '["s3cret-cohorts"]', why: "hold something that is no block" },
  { name: "a cohort without a value", cohorts: '[{"cohort":"s3cret-cohorts"}]', why: 'lack the text "merchant"' },
  { name: "a value that is a number", cohorts: '[{"cohort":"eu","merchant":7}]', why: 'lack the text "merchant"' },
])("cohorts that are $name are refused without being shown", ({ cohorts, why }) => {
  const read = (): unknown => watchedRegion(environmentOf(TEXT), plainGuard(), "tokyo", secretsOf(cohorts));
  expect(read).toThrow(UpgradeError);
  expect(read).toThrow(`the probe cohorts of tokyo ${why}`);
  expect(read).not.toThrow(/s3cret/);
});

test("counters are read by the rules that they name", () => {
  const text = changed(TEXT, [
    ["instances: 2 }", "instances: 2, counters: { path: /m, metric: ops, rules: payments } }"],
  ]);
  const config = watchConfig(environmentOf(text), plainGuard(["pay"]), secretsOf('[{"merchant":"m"}]'), {
    run: "r",
    cwd: ".",
  });
  expect(config.counters).toMatchObject({ path: "/m", metric: "ops", rules: { name: "payments" } });
});
