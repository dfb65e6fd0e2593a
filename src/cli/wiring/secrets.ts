import { readFileSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Value } from "../../plan/model.ts";

/** Reads values that must not stand in files, and remembers them, so that they can be blacked out everywhere. */
export class Secrets {
  private readonly env: Readonly<Record<string, string | undefined>>;
  private readonly folder: string;
  private readonly values = new Set<string>();

  constructor(env: Readonly<Record<string, string | undefined>>, folder: string) {
    this.env = env;
    this.folder = folder;
  }

  /** Throws `SECRET_MISSING`. */
  read(value: Value, what: string): string {
    if (typeof value === "string") return value;
    const text = "env" in value ? (this.env[value.env] ?? value.default) : this.readFile(value.file, what);
    if (text === undefined)
      throw new UpgradeError(
        "SECRET_MISSING",
        `${what}: the environment variable ${"env" in value ? value.env : ""} is not set`,
        { hint: "set it, and start again" },
      );
    if (!("env" in value) || text !== value.default) this.values.add(text);
    this.addPassword(text);
    return text;
  }

  add(...values: readonly string[]): void {
    for (const value of values) this.values.add(value);
  }

  seen(): readonly string[] {
    return [...this.values];
  }

  private addPassword(text: string): void {
    if (!URL.canParse(text)) return;
    const { password } = new URL(text);
    if (password !== "") this.add(password, decodeURIComponent(password));
  }

  private readFile(file: string, what: string): string {
    const path = isAbsolute(file) ? file : resolve(this.folder, file);
    try {
      return readFileSync(path, "utf8").trim();
    } catch (cause) {
      throw new UpgradeError("SECRET_MISSING", `${what}: the file ${path} cannot be read`, {
        hint: "write it, and let this user read it",
        cause,
      });
    }
  }
}
