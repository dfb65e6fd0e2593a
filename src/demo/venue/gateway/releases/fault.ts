import { isFields, readJson } from "../../fields.ts";

/** A number in the JSON text of the variable FAULT; `undefined` when it is not there. */
export const numberIn = (text: string | undefined, name: string): number | undefined => {
  const fault = readJson(text ?? "");
  const value = isFields(fault) ? fault[name] : undefined;
  return typeof value === "number" ? value : undefined;
};
