/** Documents of an environment that are no runs: rehearsals and their reports. Names are relative, with slashes. */
export interface Shelf {
  /** Replaces a document whole: whoever reads sees the old text or the new one, also after a power cut. Rejects `OUTPUT_UNWRITABLE`. */
  put(name: string, text: string): Promise<void>;
  /** Undefined: there is none, or it cannot be read. */
  get(name: string): Promise<string | undefined>;
  /** What a folder holds, newest name first; nothing for one that is not there. */
  list(folder: string): Promise<readonly string[]>;
  /** Where a person finds it. */
  pathOf(name: string): string;
}
