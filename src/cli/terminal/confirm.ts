import type { CliIo } from "../io.ts";

/** Asks a person once. Whatever is not a yes is a no, and says that nothing was touched. */
export async function confirm(io: CliIo, question: string): Promise<boolean> {
  const answer = await io.question(`${question} [y/N] `);
  if (answer !== undefined && /^y(es)?$/i.test(answer.trim())) return true;
  io.say("Nothing was touched.");
  return false;
}
