import { isFields } from "../fields.ts";

/** A gateway instance that may take traffic. */
export type Backend = {
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  readonly release: string;
  /** 0 to 100, relative to the others. 0: nothing new comes here; what is open stays. */
  readonly weight: number;
};

/** Reads what an operator put; `undefined` when it is no backend. */
export const parseBackend = (id: string, value: unknown): Backend | undefined => {
  if (!isFields(value)) return undefined;
  const { address, release, weight } = value;
  if (typeof address !== "string" || !/^[\w.-]+:\d{1,5}$/.test(address)) return undefined;
  if (typeof release !== "string" || typeof weight !== "number" || !(weight >= 0 && weight <= 100)) return undefined;
  return { id, address, release, weight };
};

export const endpointOf = ({ address }: Backend): { readonly host: string; readonly port: number } => {
  const [host, port] = address.split(":");
  return { host: host ?? "", port: Number(port) };
};
