import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { commandNames } from "../program.ts";

const SCRIPTS: Readonly<Record<string, (names: readonly string[]) => string>> = {
  bash: (names) => `_midflight() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -F _midflight midflight`,
  zsh: (names) => `#compdef midflight
_midflight() { if (( CURRENT == 2 )); then compadd ${names.join(" ")}; else _files; fi }
compdef _midflight midflight`,
  fish: (names) => `complete -c midflight -n __fish_use_subcommand -f -a "${names.join(" ")}"`,
};

export function completion(io: CliIo, [shell = ""]: readonly string[]): Promise<ExitStatus> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new UpgradeError("USAGE", `no completion for ${shell}`, { hint: "choose bash, zsh or fish" });
  io.print(script(commandNames()));
  return Promise.resolve(EXIT.done);
}
