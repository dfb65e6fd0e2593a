import { runGateway } from "../../run.ts";
import { readFault, release22 } from "./release.ts";

await runGateway(release22(readFault(process.env["FAULT"])));
