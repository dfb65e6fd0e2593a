import type { ErrorCode } from "./catalog.ts";

/** A failure that its reader can act on: a stable code, the facts, and an order what to do. */
export class UpgradeError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, how: { readonly hint: string; readonly cause?: unknown }) {
    super(message, how.cause === undefined ? {} : { cause: how.cause });
    this.name = "UpgradeError";
    this.code = code;
    this.hint = how.hint;
  }

  /** The command that explains this code. */
  get docs(): string {
    return `midflight explain ${this.code}`;
  }
}
