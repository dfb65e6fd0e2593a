import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accountOf, USER_UIDS } from "../../demo/venue/accounts.ts";
import { guardWithProgram } from "../../demo/venue/guardian.ts";
import { startEnvironment } from "../../demo/environment.ts";
import type { Venue } from "../../demo/venue/venue.ts";
import { temporaryFolder } from "../../demo/venue/temporary-folder.ts";
import { place, prepareWorkspace, type Workspace } from "../../demo/workspace.ts";
import { EXIT } from "../../errors/catalog.ts";
import { portBaseOf, type DemoOptions } from "./options.ts";
import { shippedPlans } from "../shipped.ts";
import { sweepCommand } from "./sweep.ts";
import { midflightSurface } from "./surface.ts";
import type { CliIo, ExitStatus } from "../io.ts";

const KEY_SEED = "demo";

/** `midflight demo venue`: the venue alone, until Ctrl-C. Prints how to trade on it and how to upgrade it. */
export async function venueAlone(io: CliIo, options: DemoOptions): Promise<ExitStatus> {
  await using stack = new AsyncDisposableStack();
  const { path: dir } = await temporaryFolder(stack);
  const stopped = Promise.withResolvers<void>();
  stack.defer(io.onSignal(() => stopped.resolve()));
  io.say("starting: PostgreSQL, two matching engines, two regions of a balancer and six gateways");
  const workspace = await prepareWorkspace(
    shippedPlans(),
    await workFolder(stack),
    { plan: "good-upgrade.yaml" },
    { text: "none" },
  );
  const { venue } = await startEnvironment(
    {
      dir,
      env: "production",
      keySeed: KEY_SEED,
      ...portBaseOf(options),
      prepare: async (started) => {
        await place(workspace.environment, started);
        return workspace;
      },
      midflight: (variables) => midflightSurface({ ...io, env: { ...io.env, ...variables, FAULT: "{}" } }, "lines"),
    },
    stack,
  );
  const facts = factsOf(venue, workspace);
  io.print(options.json === true ? JSON.stringify({ kind: "venue", ...facts }) : textOf(facts));
  await stopped.promise;
  io.say("stopping");
  return EXIT.done;
}

/** Holds the records of the gateways: when this process is killed, they have to be ended before it goes. */
async function workFolder(stack: AsyncDisposableStack): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "midflight-work-"));
  const dismiss = guardWithProgram([
    "/bin/sh",
    "-c",
    `"$@"; rm -rf -- "$0"`,
    path,
    ...sweepCommand(join(path, "plans")),
  ]);
  stack.defer(async () => {
    await rm(path, { recursive: true, force: true });
    dismiss();
  });
  return path;
}

type Facts = ReturnType<typeof factsOf>;

const factsOf = (venue: Venue, workspace: Workspace) => ({
  regions: venue.regions,
  accounts: USER_UIDS.slice(0, 3).map((uid) => accountOf(uid, venue.env, venue.keySeed)),
  variables: { ...venue.variables, FAULT: "{}" },
  plan: workspace.plan,
  environment: workspace.environment,
  curl: curlOf(venue),
});

/** Signs and sends one order with nothing but openssl and curl. */
function curlOf(venue: Venue): string {
  const account = accountOf(USER_UIDS[0] ?? "1000", venue.env, venue.keySeed);
  const rest = venue.regions["tokyo"]?.rest ?? "";
  return [
    `TS=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)`,
    `BODY='{"instId":"BTC-USDT","tdMode":"cash","side":"buy","ordType":"post_only","px":"50000","sz":"0.01"}'`,
    `SIGN=$(printf '%s' "$TS"POST/api/v5/trade/order"$BODY" | openssl dgst -sha256 -hmac '${account.secret}' -binary | base64)`,
    `curl -s ${rest}/api/v5/trade/order -H 'Content-Type: application/json' -H 'OK-ACCESS-KEY: ${account.apiKey}' -H 'OK-ACCESS-PASSPHRASE: ${account.passphrase}' -H "OK-ACCESS-TIMESTAMP: $TS" -H "OK-ACCESS-SIGN: $SIGN" -d "$BODY"`,
  ].join("\n");
}

function textOf(facts: Facts): string {
  const regions = Object.entries(facts.regions).map(
    ([name, at]) =>
      `  ${name.padEnd(10)} REST ${at.rest}/api/v5   WebSocket ${at.ws}/ws/v5/{public,private}   admin ${at.admin}`,
  );
  const accounts = facts.accounts.map(
    (account) =>
      `  uid ${account.uid}  key ${account.apiKey}  secret ${account.secret}  passphrase ${account.passphrase}`,
  );
  const variables = Object.entries(facts.variables).map(([name, value]) => `  export ${name}='${value}'`);
  return [
    "The venue speaks OKX V5; instruments BTC-USDT, ETH-USDT and PROBE-USDT.",
    `Addresses\n${regions.join("\n")}`,
    `Accounts (three of 200)\n${accounts.join("\n")}`,
    `An order with curl\n${facts.curl.replaceAll(/^/gm, "  ")}`,
    `To upgrade it from another terminal\n${variables.join("\n")}\n  midflight upgrade '${facts.plan}' --env '${facts.environment}' --without-certificate --because 'a first try'`,
    "Ctrl-C stops it; nothing is left behind.",
  ].join("\n\n");
}
