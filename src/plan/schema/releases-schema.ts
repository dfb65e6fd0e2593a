import * as z from "zod";
import { EXPECTED, NOUN } from "./expected.ts";
import { argv, digest, editorSchema, objectName, path, release, version } from "./fields.ts";

/** What one release is. Also for an environment that says it itself. */
export const releaseSchema = z
  .strictObject({
    process: z
      .strictObject({
        digest: digest().describe("sha256 over the sorted (path, mode, bytes) of the folder."),
        path: path().describe("Folder of the release, relative to this file."),
        run: argv().describe("Run in that folder. `node` as first word means the Node that runs midflight."),
      })
      .optional()
      .describe("For the process driver."),
    command: z
      .strictObject({ digest: digest().describe("What `observe` says when this release runs.") })
      .optional()
      .describe("For the command driver."),
    kubernetes: z
      .strictObject({
        image: z
          .string()
          .regex(/^\S+$/)
          .register(EXPECTED, { text: "an image with its digest, such as registry/gateway@sha256:…" })
          .describe("Image with its digest."),
        config: z
          .record(objectName(), digest())
          .register(NOUN, { noun: "config" })
          .optional()
          .describe(
            "ConfigMaps and Secrets of the pod template, by name → sha256 of their canonical data. Pods read an immutable copy, the name with a dash and the first 10 digits.",
          ),
      })
      .optional()
      .describe("For the kubernetes driver."),
  })
  .register(NOUN, { noun: "release" });

export const releasesSchema = z
  .strictObject({
    $schema: editorSchema(),
    midflight: version(),
    releases: z
      .record(release(), releaseSchema)
      .register(NOUN, { noun: "release" })
      .describe("Release → what each driver runs, fixed by a digest."),
  })
  .register(NOUN, { noun: "releases file" });

export type ReleasesInput = z.infer<typeof releasesSchema>;
