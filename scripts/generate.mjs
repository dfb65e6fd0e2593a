// Writes what is generated and committed: the JSON Schemas for editors, and the digests of the releases that the build made.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { digestOfFolder } from "../src/adapters/process/digest.ts";
import { jsonSchemas } from "../src/plan/json-schema.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const [name, schema] of Object.entries(jsonSchemas())) {
  await writeFile(join(root, "plans", `${name}.schema.json`), `${JSON.stringify(schema, undefined, 2)}\n`);
}

const releases = join(root, "plans", "releases.yaml");
let text = await readFile(releases, "utf8");
for (const version of ["1.0", "2.0", "2.1", "2.2"]) {
  const digest = await digestOfFolder(join(root, "dist", "releases", `gateway-${version}`));
  text = text.replace(
    new RegExp(`(gateway@${version.replace(".", "\\.")}: \\{ process: \\{ digest: ")[^"]*`),
    `$1${digest}`,
  );
}
await writeFile(releases, text);
