import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountOf } from "../../src/demo/venue/accounts.ts";
import { startVenue } from "../fakes/venue.ts";
import type { Venue } from "../fakes/venue.ts";
import { KEY_SEED } from "../fakes/gateway.ts";

/** PYTHON_OKX names an interpreter that has python-okx. */
const PYTHON = process.env["PYTHON_OKX"] ?? "python3";

const canImport = (): boolean => {
  try {
    execFileSync(PYTHON, ["-c", "import okx.Trade, okx.Status"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

const SCRIPT = `
import json, sys
import okx.Trade as Trade, okx.Status as Status
key, secret, passphrase, domain = sys.argv[1:5]
trade = Trade.TradeAPI(key, secret, passphrase, False, '0', domain=domain)
status = Status.StatusAPI(domain=domain, flag='0', debug=False)
placed = trade.place_order(instId='BTC-USDT', tdMode='cash', side='buy', ordType='post_only', px='45000', sz='0.001')
ordId = placed['data'][0]['ordId']
out = {
  'placed': placed['data'][0]['sCode'],
  'amended': trade.amend_order(instId='BTC-USDT', ordId=ordId, newPx='45001')['data'][0]['sCode'],
  'order': trade.get_order('BTC-USDT', ordId)['data'][0]['px'],
  'open': len(trade.get_order_list(instType='SPOT')['data']),
  'cancelled': trade.cancel_order(instId='BTC-USDT', ordId=ordId)['data'][0]['sCode'],
  'twice': trade.cancel_order(instId='BTC-USDT', ordId=ordId)['data'][0]['sCode'],
  'status': status.status()['code'],
}
print('RESULT ' + json.dumps(out))
`;

const isThere = canImport();
let venue: Venue;
beforeAll(async () => {
  if (isThere) venue = await startVenue();
});
afterAll(async () => {
  if (isThere) await venue.stop();
});

test.skipIf(!isThere)(
  "python-okx places, amends, queries and cancels (skipped unless PYTHON_OKX or python3 can import okx)",
  async () => {
    const { apiKey, secret, passphrase } = accountOf("1030", "production", KEY_SEED);
    const { stdout } = await promisify(execFile)(PYTHON, ["-c", SCRIPT, apiKey, secret, passphrase, venue.rest]);
    const result: unknown = JSON.parse(/RESULT (.*)/.exec(stdout)?.[1] ?? "null");
    expect(result).toEqual({
      placed: "0",
      amended: "0",
      order: "45001",
      open: 1,
      cancelled: "0",
      twice: "51400",
      status: "0",
    });
  },
);
