import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { readEngineConfig } from "./config.ts";
import { startEngine } from "./serve.ts";

const fail = (error: unknown): never => {
  const text =
    error instanceof UpgradeError
      ? `${error.code}: ${error.message}; ${error.hint}`
      : String((error as Error).stack ?? error);
  process.stderr.write(`${text}\n`);
  process.exit(5);
};

try {
  const engine = await startEngine(readEngineConfig(process.env), fail);
  const stop = (): void => void engine.close().then(() => process.exit(0));
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.stdout.write(`${JSON.stringify({ ready: true, port: engine.port })}\n`);
} catch (error) {
  fail(error);
}
