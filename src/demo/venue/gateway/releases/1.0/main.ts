import { runGateway } from "../../run.ts";
import { RELEASE_1_0 } from "./release.ts";

await runGateway(RELEASE_1_0);
