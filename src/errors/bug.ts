/** A state that cannot be. Whoever sees one is asked for a report; it exits with 70. */
export class Bug extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "Bug";
  }
}
