import { runProcess } from "../run-process.ts";
import { readBalancerConfig } from "./config.ts";
import { startBalancer } from "./start.ts";

await runProcess(async () => {
  const { port, adminPort, stop } = await startBalancer(readBalancerConfig(process.env));
  return { ready: { port, adminPort }, stop };
});
