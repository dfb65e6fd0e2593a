import { runGateway } from "../../run.ts";
import { readFault, release21 } from "./release.ts";

await runGateway(release21(readFault(process.env["FAULT"])));
