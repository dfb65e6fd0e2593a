import * as z from "zod";
import { CHOICE, EXPECTED } from "./expected.ts";

/** A text with at least one character that is no space. */
export const text = () => z.string().regex(/\S/).register(EXPECTED, { text: "a text" });

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** `order-gateway-2`. Used in ids, file names and messages, so small letters, digits and single dashes only. */
export const name = () =>
  z
    .string()
    .max(63)
    .regex(NAME)
    .register(EXPECTED, { text: "a name in small letters, digits and dashes, such as order-gateway-2" });

/** Of Kubernetes. A label holds it too, and those are no longer. */
export const objectName = () =>
  z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
    .register(EXPECTED, { text: "the name of a Kubernetes object such as order-gateway" });

/** Of a counter in Prometheus text format. */
export const metric = () =>
  z
    .string()
    .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/)
    .register(EXPECTED, { text: "the name of a metric such as venue_operations_total" });

/** What users do. It stands in names of streams and of metrics. */
export const operation = () =>
  z.string().max(40).regex(NAME).register(EXPECTED, { text: "an operation such as order, amend, cancel or pay" });

export const release = () =>
  z
    .string()
    .regex(/^[a-z][a-z0-9-]*(@[0-9A-Za-z._+-]+)?$/)
    .register(EXPECTED, { text: "a release such as gateway@2.0" });

export const path = () => z.string().regex(/\S/).register(EXPECTED, { text: "a path such as ./migrations/orders" });

/** Path in a URL, on the instance itself. */
export const urlPath = () =>
  z
    .string()
    .regex(/^\/[^\s]*$/)
    .register(EXPECTED, { text: 'a path that begins with "/"' });

export const httpUrl = () =>
  z
    .string()
    .regex(/^https?:\/\/[^\s/?#]+[^\s]*$/)
    .register(EXPECTED, { text: "an address such as http://127.0.0.1:7110" });
export const wsUrl = () =>
  z
    .string()
    .regex(/^wss?:\/\/[^\s/?#]+[^\s]*$/)
    .register(EXPECTED, { text: "an address such as ws://127.0.0.1:7110/ws/v5" });

export const digest = () =>
  z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .register(EXPECTED, { text: "a digest: sha256: and 64 digits of 0-9 and a-f" });

const word = () => z.string().min(1).register(EXPECTED, { text: "a text (put a number in quotes)" });

/** A program and its arguments, each a word of its own. */
export const argv = () =>
  z.array(word()).min(1).register(EXPECTED, { text: "a list of words such as [node, script.mjs]" });

export const count = (min: number, max: number) =>
  z
    .int()
    .min(min)
    .max(max)
    .register(EXPECTED, { text: `a whole number from ${min} to ${max}` });
export const flag = () => z.boolean().register(EXPECTED, { text: "true or false" });
export const version = () => z.literal(1).describe("Version of this file's format.");
export const editorSchema = () => z.string().optional().describe("Where an editor finds the JSON Schema of this file.");

const variable = () =>
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .register(EXPECTED, { text: "the name of an environment variable" });

export const fromEnv = z.strictObject({
  env: variable().describe("Environment variable of midflight's own process."),
  default: z.string().optional().describe("Value when the variable is not set. Never a secret."),
});
export const fromFile = z.strictObject({
  file: path().describe("File with the value, relative to this file. White space at its ends is cut off."),
});

/** A value that must not stand in a file. */
export const secret = () =>
  z
    .union([fromEnv, fromFile])
    .register(EXPECTED, { text: "{ env: NAME } or { file: PATH }" })
    .register(CHOICE, { what: "value" });

/** A value as it stands, or where to find it. */
export const value = () =>
  z
    .union([z.string(), fromEnv, fromFile])
    .register(EXPECTED, { text: "a text, { env: NAME } or { file: PATH }" })
    .register(CHOICE, { what: "value" });
