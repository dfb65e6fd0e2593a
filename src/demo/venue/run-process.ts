import { UpgradeError } from "../../errors/upgrade-error.ts";
import { isFields, textOf } from "./fields.ts";

/** A part of the venue that runs as a process of its own. */
export type Service = {
  /** What others must know to reach it, such as its ports. */
  readonly ready: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
};

/**
 * Runs a service until SIGTERM or SIGINT, and exits with 0. Prints `{"ready":true,…}` as one line when it can be reached.
 * What keeps it from starting is one sentence on stderr, and exit status 1.
 */
export const runProcess = async (start: () => Promise<Service>): Promise<void> => {
  try {
    const service = await start();
    const stop = (): void => void service.stop().then(() => process.exit(0));
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    process.stdout.write(`${JSON.stringify({ ready: true, ...service.ready })}\n`);
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exit(1);
  }
};

const sentenceOf = (error: unknown): string => {
  if (error instanceof UpgradeError) return `${error.code}: ${error.message}. To go on: ${error.hint}.`;
  if (isFields(error) && error["code"] === "EADDRINUSE")
    return `port ${textOf(error, "port")} is taken: choose another one, or 0 for any free one`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};
