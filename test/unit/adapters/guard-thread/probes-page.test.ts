import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COVERED_MS, RENEW_MS, TIMEOUT_SEC } from "../../../../src/adapters/guard-thread/dead-man.ts";
import { DEFAULT_EXPOSURE } from "../../../../src/adapters/guard-thread/exposure.ts";
import { ATTEMPTS_MS, EXPIRES_MS, SAFE, SUFFIXES } from "../../../../src/adapters/guard-thread/flatten.ts";
import { FAR, NEAR } from "../../../../src/adapters/guard-thread/market.ts";
import { SALES_MS, SWEEP_MS } from "../../../../src/adapters/guard-thread/order-care.ts";
import { DIALS_PER_SEC, MOST_LINKS } from "../../../../src/adapters/guard-thread/order-sockets.ts";
import { EACH_MORE_PER_SEC, FIRST_PER_SEC, MOST_PER_SEC } from "../../../../src/adapters/guard-thread/prove.ts";
import { MOST, OPERATIONS_PER_ACCOUNT } from "../../../../src/adapters/guard-thread/rate-limits.ts";
import { MARKET_MS } from "../../../../src/adapters/guard-thread/okx-probes.ts";
import { plainGuard } from "../../../../src/plan/to-plan.ts";

const page = readFileSync(new URL("../../../../docs/probes.md", import.meta.url), "utf8");
const seconds = (ms: number): string => String(ms / 1_000);
/** When each attempt is made, counted from the fill. */
const attempts = ATTEMPTS_MS.map((_, index) => seconds(ATTEMPTS_MS.slice(0, index + 1).reduce((a, b) => a + b, 0)));

test.each([
  `${Math.round((1 - FAR) * 100)} % below the last trade, which is read every ${seconds(MARKET_MS)} s`,
  `\`stpMode: ${SAFE.stpMode}\``,
  `${plainGuard().probesPerSec} operations a second and region (\`guard.probes\`, at most 2,000)`,
  `adds ${FIRST_PER_SEC} a second for the first, ${EACH_MORE_PER_SEC} for each further one, ${MOST_PER_SEC} at most`,
  `at most ${OPERATIONS_PER_ACCOUNT} operations a second on average, and at most ${MOST} requests of a kind in 2 s`,
  `at most ${DIALS_PER_SEC} new connections a second to an address, and ${MOST_LINKS} of an account`,
  `one of the letters ${SUFFIXES.join(", ")} after it`,
  `at most ${DEFAULT_EXPOSURE.orders} resting orders, worth at most ${DEFAULT_EXPOSURE.notional} in the quote currency`,
  `filled at once: ${DEFAULT_EXPOSURE.notional} in the quote currency in each region, bought ${Math.round((1 - FAR) * 100)} % below`,
  `at least ${Math.round(NEAR * 100)} % of the last trade`,
  `arrives ${seconds(EXPIRES_MS)} s late`,
  `Four attempts are made, ${attempts.slice(0, -1).join(", ")} and ${attempts.at(-1) ?? ""} seconds after the fill`,
  `cancelled within ${seconds(SWEEP_MS)} s; a sale that has begun is waited for ${seconds(SALES_MS)} s`,
  `${TIMEOUT_SEC} s after the last sign of life (\`cancel-all-after\`, renewed every ${seconds(RENEW_MS)} s`,
  `switch was not renewed within ${seconds(COVERED_MS)} s`,
])("the page on probe orders says as it is: %s", (sentence) => {
  expect(page).toContain(sentence);
});

test("as many attempts are made as there are letters for them", () =>
  expect(ATTEMPTS_MS).toHaveLength(SUFFIXES.length));
