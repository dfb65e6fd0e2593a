import { expect, test } from "vitest";
import { Secrets } from "../../../src/cli/wiring/secrets.ts";
import { watchConfig } from "../../../src/cli/wiring/wire.ts";
import type { Environment } from "../../../src/plan/model.ts";
import { plainGuard } from "../../../src/plan/to-plan.ts";

const environment: Environment = {
  midflight: 1,
  file: "/env.yaml",
  name: "production",
  class: "production",
  regions: {
    tokyo: {
      probe: {
        kind: "okx",
        rest: "http://127.0.0.1:1",
        accounts: { env: "PROBES" },
        instrument: "PROBE-USDT",
        simulatedTrading: false,
      },
    },
  },
  components: {},
  sources: [],
  notify: [],
  trusts: [],
  approval: { notBySigner: false },
  parity: { accept: [] },
  rules: {},
  state: ".midflight",
};
const accounts = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, index) => ({ apiKey: `k${index}`, secret: "s", passphrase: "p", cohort: "c" })),
  );
const configOf = (count: number, probesPerSec: number) =>
  watchConfig(environment, { ...plainGuard(), probesPerSec }, new Secrets({ PROBES: accounts(count) }, "/"), {
    run: "r1",
    cwd: ".",
  });

test("more probes than the accounts may do are refused before anything is watched, with both ways out", () => {
  expect(() => configOf(55, 2_000)).toThrow(
    expect.objectContaining({
      code: "PROBE_ACCOUNTS_FEW",
      message: "2000 probes a second in tokyo need 56 accounts, and 55 are given",
      hint: "add accounts, or set guard.probes to at most 1980/s",
    }) as Error,
  );
  expect(configOf(56, 2_000).regions[0]?.accounts).toHaveLength(56);
});

test("one account is enough for the usual rate", () => expect(configOf(1, 30).regions[0]?.accounts).toHaveLength(1));
