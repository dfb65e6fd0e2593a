import { readBalancerConfig } from "./config.ts";
import { startBalancer } from "./start.ts";

const config = readBalancerConfig(process.env);
const balancer = await startBalancer(config);
const stop = (): void => void balancer.stop().then(() => process.exit(0));
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.stdout.write(`${JSON.stringify({ ready: true, port: balancer.port, adminPort: balancer.adminPort })}\n`);
