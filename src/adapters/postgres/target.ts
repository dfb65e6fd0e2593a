import { Client } from "pg";
import { UpgradeError } from "../../errors/upgrade-error.ts";

/** A database, and how to speak of it without its password. */
export type Target = {
  readonly url: string;
  /** `127.0.0.1:5432/metadata` */
  readonly place: string;
  /** Takes the password out of a text. */
  redact(text: string): string;
};

/** Rejects a URL that is none with `SECRET_MALFORMED`; the URL itself is never shown, since it holds a password. */
export const targetOf = (url: string): Target => {
  const client = clientOf(url);
  if (client === undefined) {
    throw new UpgradeError(
      "SECRET_MALFORMED",
      "the address of a metadata store is not of the form postgres://user:password@host:port/database",
      {
        hint: "correct the value that the component's `url` names in the environment file; write special characters of the password as %XX",
      },
    );
  }
  const { host, port, database, password } = client;
  return {
    url,
    place: `${host}:${port}/${database ?? ""}`,
    redact: redactor(typeof password === "string" ? password : ""),
  };
};

const clientOf = (url: string): Client | undefined => {
  if (!/^postgres(ql)?:\/\//i.test(url)) return undefined;
  try {
    return new Client({ connectionString: url });
  } catch {
    // What was thrown carries the URL, so it must not become a cause.
    return undefined;
  }
};

// A very short password would blank half of the words, and protects nothing.
const redactor = (password: string): ((text: string) => string) => {
  const forms = [password, encodeURIComponent(password)].filter((form) => form.length >= 4);
  return (text) => forms.reduce((left, form) => left.replaceAll(form, "***"), text);
};
