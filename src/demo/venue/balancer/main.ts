import { runProcess } from "../run-process.ts";
import { readBalancerConfig } from "./config.ts";
import { startBalancer } from "./start.ts";

await runProcess(async () => {
  const balancer = await startBalancer(readBalancerConfig(process.env));
  return { ready: { port: balancer.port, adminPort: balancer.adminPort }, stop: () => balancer.stop() };
});
