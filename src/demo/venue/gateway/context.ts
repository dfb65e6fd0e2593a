import type { Account } from "../accounts.ts";
import type { Keyring } from "./auth.ts";
import type { GatewayConfig } from "./config.ts";
import type { Drain } from "./drain.ts";
import type { EngineLink } from "./engine-link.ts";
import type { Answer } from "./envelope.ts";
import type { EntryParts } from "./order-entry.ts";

/** Everything that a route or a socket may use. */
export type GatewayContext = EntryParts & {
  readonly config: GatewayConfig;
  readonly engine: EngineLink;
  readonly keyring: Keyring;
  readonly drain: Drain;
};

/** A REST request that was let in. */
export type Call = {
  readonly query: URLSearchParams;
  /** The parsed JSON body; `undefined` without one. */
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;
  /** `performance.now()` at arrival. */
  readonly since: number;
};

export type SignedCall = Call & { readonly account: Account };

/** What answers a method and a path. `signed` routes are reached with a valid signature only. */
export type Route =
  | { readonly kind: "public"; readonly answer: (call: Call, context: GatewayContext) => Answer | Promise<Answer> }
  | {
      readonly kind: "signed";
      readonly answer: (call: SignedCall, context: GatewayContext) => Answer | Promise<Answer>;
    };

/** Routes by "METHOD /path". */
export type Routes = Readonly<Record<string, Route>>;
