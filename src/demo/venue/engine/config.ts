import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "./instrument.ts";
import type { EngineConfig } from "./serve.ts";

/** How long an engine bears the silence of the other one, in ms. Longer than a busy machine's hiccups, well below a second. */
const SILENCE_MS = 400;

/**
 * Reads ENGINE_NAME, ENGINE_PORT, ENGINE_PEER_PORT, ENGINE_DIR, ENGINE_WITNESS_DIR, ENGINE_START_AS, and if they are set
 * ENGINE_INSTRUMENTS and ENGINE_SILENCE_MS. Throws `VENUE_CONFIG`.
 */
export const readEngineConfig = (env: NodeJS.ProcessEnv): EngineConfig => ({
  name: required(env, "ENGINE_NAME"),
  port: readNumber(env, "ENGINE_PORT"),
  peerPort: readNumber(env, "ENGINE_PEER_PORT"),
  dir: required(env, "ENGINE_DIR"),
  witnessDir: required(env, "ENGINE_WITNESS_DIR"),
  startAs: env["ENGINE_START_AS"] === "active" ? "active" : "standby",
  instruments: readInstruments(env["ENGINE_INSTRUMENTS"] ?? JSON.stringify(VENUE_INSTRUMENTS)),
  silenceMs: env["ENGINE_SILENCE_MS"] === undefined ? SILENCE_MS : readNumber(env, "ENGINE_SILENCE_MS"),
});

const required = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new UpgradeError("VENUE_CONFIG", `the environment variable ${name} is not set`, {
    hint: `set ${name} for this matching engine`,
  });
};

const readNumber = (env: NodeJS.ProcessEnv, name: string): number => {
  const text = required(env, name);
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UpgradeError("VENUE_CONFIG", `the environment variable ${name} is "${text}", no whole number`, {
    hint: `set ${name} to digits only`,
  });
};
