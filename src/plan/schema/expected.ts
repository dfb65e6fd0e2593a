import * as z from "zod";

/** What a field wants, in words, for messages. Apart from the descriptions, which explain what it does. */
export const EXPECTED = z.registry<{ readonly text: string }>();

/** Why a text is no such value, and which part of it. Travels in the issue's `params`. */
export type Detail = { readonly why: string; readonly at: number; readonly length: number };

export const isDetail = (value: unknown): value is Detail =>
  typeof value === "object" && value !== null && "why" in value && "at" in value && "length" in value;

/** Blocks of which each is chosen by its first key, such as the steps of a plan. `what` is what one of them is called. */
export const CHOICE = z.registry<{ readonly what: string }>();

/** What the keys of a block, or one item of a list, are called. */
export const NOUN = z.registry<{ readonly noun: string }>();
