import { runGateway } from "../../run.ts";
import { RELEASE_2_0 } from "./release.ts";

await runGateway(RELEASE_2_0);
