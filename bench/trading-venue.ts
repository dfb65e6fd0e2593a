import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startUsers, type Users } from "../src/demo/users.ts";
import { MIDFLIGHT } from "./places.ts";

/** `midflight demo venue`: what it prints, as far as it is used here. */
type VenueFacts = {
  readonly regions: Readonly<Record<string, { readonly rest: string; readonly ws: string }>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly plan: string;
  readonly environment: string;
};

export type TradingVenue = VenueFacts & {
  /** Lets users trade; resolves when they do. */
  users(order: {
    readonly seed: string;
    readonly uids: readonly string[];
    readonly ratePerSec: number;
    readonly settleMs: number;
    readonly maxSeconds: number;
    /** Gets every operation, one JSON object a line. */
    readonly outcomesFile?: string;
  }): Promise<Users>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Gateways fail one operation in a thousand, in bursts, as in the demo. */
const NOISE_SHARE = 0.001;

/** Starts the demo's venue through the command line, with its ordinary noise. It ends with its disposal. */
export async function tradingVenue(seed: string, cwd: string): Promise<TradingVenue> {
  const child = spawn(process.execPath, [MIDFLIGHT, "demo", "venue", "--json"], {
    cwd,
    env: { ...process.env, GATEWAY_NOISE: JSON.stringify({ seed, share: NOISE_SHARE }) },
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl-C reaches this process alone, which passes it on once.
    detached: true,
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4_000);
  });
  const closed = once(child, "close");
  const stop = async () => {
    child.kill("SIGINT");
    await closed;
  };
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([text]) => String(text)),
    closed.then(() => undefined),
  ]);
  if (line === undefined) throw new Error(`the venue did not start: ${complaint.trim()}`);
  const facts = JSON.parse(line) as VenueFacts;
  const at = (region: string) => ({ rest: facts.regions[region]?.rest ?? "", ws: facts.regions[region]?.ws ?? "" });
  return {
    ...facts,
    users: (order) =>
      startUsers(
        {
          regions: { tokyo: at("tokyo"), frankfurt: at("frankfurt") },
          keySeed: facts.variables["VENUE_KEY_SEED"] ?? "",
          ...order,
          uids: [...order.uids],
        },
        () => {},
      ),
    [Symbol.asyncDispose]: stop,
  };
}
