import { hash } from "node:crypto";

const MOST_CHARACTERS = 100;

/** A name that an API server takes for whatever is called `text`: readable, and never the same for two texts. */
export const objectName = (prefix: string, text: string): string => `${prefix}-${readable(text)}${shortHash(text)}`;

/** Fits into a label. */
export const shortHash = (text: string): string => hash("sha256", text, "hex").slice(0, 12);

const readable = (text: string): string => {
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const trimmed = words.slice(0, MOST_CHARACTERS).replaceAll(/^-|-$/g, "");
  return trimmed === "" ? "" : `${trimmed}-`;
};
