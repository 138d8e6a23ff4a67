//! Every code that a manifest, or the project file, can be reported with. They are stable: people search for them.

use crate::diagnostics::Code;

macro_rules! codes {
    ($($name:ident = $code:literal: $what:literal => $fix:literal;)*) => {
        $(#[doc = $what] pub const $name: &str = $code;)*

        /// All codes of this area.
        pub const CODES: &[Code] = &[$(Code { code: $code, meaning: $what, fix: $fix }),*];
    };
}

codes! {
    YAML_SYNTAX = "yaml-syntax": "The text is not valid YAML."
        => "Correct the text at the place that is shown. Most often a quote or a bracket is not closed, the indentation is off, or a text with `: ` or a comma in `{…}` needs quotes.";
    YAML_TOO_DEEP = "yaml-too-deep": "Values are nested too deeply."
        => "Flatten the value. A config of the service is nowhere near that deep.";
    YAML_TOO_LARGE = "yaml-too-large": "A file holds too many values, too much text or too many documents, counting aliases."
        => "Move long texts to files and bring them in with `!file`, split the file, and do not repeat large values through aliases.";
    NOT_UTF8 = "not-utf8": "A file is not text in UTF-8."
        => "Save the file as UTF-8. In most editors that is `Save with encoding`; on a command line, `iconv -f latin1 -t utf-8`.";
    DUPLICATE_YAML_KEY = "duplicate-yaml-key": "A map has the same key twice."
        => "Keep one of the two. YAML parsers disagree about which one counts, so neither is taken.";
    BAD_YAML_KEY = "bad-yaml-key": "A key is a list, a map or tagged."
        => "Use plain text as the key. If the text begins with a special character, put it in quotes.";
    BAD_MERGE_KEY = "bad-merge-key": "The value of `<<` is neither a map nor a list of maps."
        => "Give `<<` a map, or a list of maps. To merge a file, use `!merge [!file a.yaml, {…}]`.";
    RECURSIVE_ALIAS = "recursive-alias": "An alias is used inside the value that it refers to."
        => "Write the value out, or move the shared part to an anchor of its own.";
    NUMBER_OUT_OF_RANGE = "number-out-of-range": "A number would lose digits in JSON, or cannot be written in JSON."
        => "Put the number in quotes if it is an identifier, as most numbers of this size are.";
    NUMBER_SPELLING = "number-spelling": "Text that looks like a number, such as `+15551234567`, is read as one."
        => "Put the value in quotes if it is text, such as a phone number; write it without the sign or the leading zero if it is a number.";
    TAG_MISMATCH = "tag-mismatch": "One of YAML's own tags, such as `!!int`, does not fit its value."
        => "Remove the tag, or correct the value.";
    FILE_NOT_FOUND = "file-not-found": "`!file` names a file that does not exist."
        => "Correct the path. It is relative to the file that it is written in, not to the project.";
    FILE_OUTSIDE_PROJECT = "file-outside-project": "A path leads outside the project, perhaps through a symbolic link."
        => "Copy the file into the project. Paths that lead out of it are refused, also through a link, so that a pull request cannot read other files of the machine.";
    FILE_HIDDEN = "file-hidden": "A component of a path begins with a dot."
        => "Rename the file or the folder so that it does not begin with a dot. Hidden files often hold credentials.";
    FILE_UNTRACKED = "file-untracked": "In a pipeline, a file is needed that git does not track."
        => "Commit the file, or run `git add -f FILE` in the pipeline if an earlier step makes it on purpose.";
    TRACKED_FILES_UNKNOWN = "tracked-files-unknown": "In a pipeline, git could not list the files that it tracks."
        => "Check out the repository with Git before this step, and make sure that the folder belongs to the user that runs the job.";
    FILE_TOO_LARGE = "file-too-large": "A file is too large."
        => "Make the file smaller. A prompt of this size would not be taken by the service either.";
    FILE_UNREADABLE = "file-unreadable": "A file is a folder, or cannot be read."
        => "Name a file, and make sure that the user who runs the command may read it.";
    FORGOTTEN_FILE = "forgotten-file": "A value is the path of a file, without `!file` in front of it."
        => "Write `!file` in front of the path. If the path is meant as text, the warning can be ignored.";
    CONFLICT_MARKERS = "conflict-markers": "A file holds conflict markers of an unfinished merge."
        => "Finish the merge: choose between the two sides, and delete the lines with `<<<<<<<`, `=======` and `>>>>>>>`.";
    LFS_POINTER = "lfs-pointer": "A file is a Git LFS pointer whose content was not fetched."
        => "Fetch the content with `git lfs pull`; in GitHub Actions, set `lfs: true` for `actions/checkout`.";
    NUL_CHARACTER = "nul-character": "A text holds the character U+0000."
        => "Delete the character. It is not visible in most editors; the file may have been saved as UTF-16.";
    EMPTY_FILE = "empty-file": "A text file behind `!file` is empty."
        => "Write the text, or remove the `!file` if the value is not meant to be declared.";
    SECRET_LINE_END = "secret-line-end": "A secret begins or ends with a space or a line break."
        => "Set the variable again without the blank or the line break. `printf '%s'` writes none; `echo` does.";
    FILE_KIND = "file-kind": "`!file` names a file that is neither text nor structure."
        => "Use `.md` or `.txt` for text, and `.yaml`, `.yml` or `.json` for structure.";
    FILE_DOCUMENTS = "file-documents": "A file behind `!file` does not hold exactly one document."
        => "Leave exactly one document in the file: remove the others, and the `---` between them.";
    FILE_CYCLE = "file-cycle": "A file includes itself."
        => "Remove one of the `!file` in the circle that is shown.";
    FILE_TOO_DEEP = "file-too-deep": "Files include each other too deeply."
        => "Bring the inner files in from the manifest directly. Eight levels are read.";
    EXPANSION_TOO_LARGE = "expansion-too-large": "The files of one manifest are too large together."
        => "Use smaller files, or do not bring the same file in so often.";
    PROJECT_TOO_LARGE = "project-too-large": "The manifests and their files are too large together."
        => "Split the project: each repository or folder with a `reachform.yaml` of its own is one.";
    TOO_MANY_PROBLEMS = "too-many-problems": "The manifests have more problems than are reported."
        => "Fix those that are shown and run the command again.";
    UNKNOWN_TAG = "unknown-tag": "A tag is none of `!file`, `!merge`, `!var`, `!secret`, `!agent` and `!format`."
        => "Correct the name of the tag, or put the value in quotes if it is meant to begin with `!`.";
    BAD_TAG_USE = "bad-tag-use": "A tag is on a value that it does not accept, or in a place that allows none."
        => "Give the tag the kind of value that the message names, or move it to a place where it is allowed.";
    BAD_MERGE = "bad-merge": "`!merge` takes a list of maps."
        => "Write a list of maps, such as `!merge [!file base.yaml, {tts: …}]`.";
    BAD_FORMAT = "bad-format": "The text of `!format` has an unmatched brace or an unknown name."
        => "Close the brace, write `{{` for a literal brace, or define the variable under `variables` in `reachform.yaml`.";
    UNKNOWN_VARIABLE = "unknown-variable": "The environment has no variable of that name."
        => "Define the variable under `variables` of this environment in `reachform.yaml`, or correct its name.";
    BAD_SECRET_NAME = "bad-secret-name": "The name of a secret is not made of capitals, digits and underscores."
        => "Use capitals, digits and underscores: `!secret CRM_KEY` reads the variable `REACHFORM_SECRET_CRM_KEY`.";
    SECRET_NOT_ALLOWED = "secret-not-allowed": "A secret is used outside `config` and `metadata`."
        => "Move the secret into `config` or `metadata`. Names, numbers and paths are shown everywhere and cannot be secret.";
    SHORT_SECRET = "short-secret": "A secret is so short that it can be guessed, or hides common words."
        => "Use a secret of at least 12 random characters. A shorter one can be guessed by its hash, and hiding it would hide ordinary words.";
    AGENT_REFERENCE_UNSUPPORTED = "agent-reference-unsupported": "`!agent` is not available in this version."
        => "Write the agent's id. In several environments, use `!var` with the id of each.";
    NO_PROJECT_FOLDER = "no-project-folder": "The project's folder does not exist."
        => "Correct the folder that follows `-C`.";
    PROJECT_FILE_NAME = "project-file-name": "The project file is not named `reachform.yaml`."
        => "Rename the file to `reachform.yaml`.";
    NOT_A_PROJECT = "not-a-project": "The project file is not a map, or not a single document."
        => "Begin the file with `version: 1` and `project: NAME`, in a single document.";
    PROJECT_VERSION = "project-version": "The project file has a version other than 1."
        => "Write `version: 1`. If the file was written for a newer reachform, use that one.";
    TAG_NOT_ALLOWED = "tag-not-allowed": "The project file uses a tag."
        => "Write the value out. The project file is read before any tag can be resolved.";
    BAD_NAME = "bad-name": "A project, an environment or a variable cannot be named like that."
        => "Use letters, digits, `-`, `_` and `.`, beginning with a letter or a digit, 63 characters at most.";
    BAD_TOKEN_NAME = "bad-token-name": "`token` does not name a variable that begins with `ANYREACH_TOKEN`."
        => "Name a variable, such as `token: ANYREACH_TOKEN_PROD`, and put the token itself in that variable. If the file holds a token, remove it and revoke it.";
    UNKNOWN_ENVIRONMENT = "unknown-environment": "The project file has no environment of that name."
        => "Correct the name, or add the environment to `reachform.yaml`.";
    ENVIRONMENT_NOT_CHOSEN = "environment-not-chosen": "There are several environments, and none was chosen."
        => "Choose one with `--env NAME`.";
    NO_MANIFESTS = "no-manifests": "A folder of manifests is missing or empty."
        => "Correct the folder under `agents`, or write the first manifest. Nothing is deleted because a folder is empty.";
    MANIFEST_IS_LINK = "manifest-is-link": "A manifest is a symbolic link."
        => "Put the file itself there, or list the folder that it is in under `agents`.";
    NOT_A_MANIFEST = "not-a-manifest": "A document is not a map."
        => "Begin the document with `key:` and `name:`. A file that is not a manifest belongs outside the folders under `agents`.";
    UNKNOWN_FIELD = "unknown-field": "A field is not known."
        => "Correct the name as the hint says, or remove the field. What belongs to the agent's behaviour goes under `config`.";
    MISSING_FIELD = "missing-field": "A required field is missing."
        => "Add the field.";
    WRONG_TYPE = "wrong-type": "A value has the wrong type for its field."
        => "Write a value of the type that the message names. A text that looks like a number or a boolean needs quotes.";
    EMPTY_TEXT = "empty-text": "A text that must say something is empty."
        => "Write the text, or remove the field: what is not declared is left as it is.";
    BAD_KEY = "bad-key": "A key is not made of lower-case letters, digits and hyphens."
        => "Use lower-case letters, digits and hyphens, beginning with a letter or a digit, 63 characters at most.";
    DUPLICATE_KEY = "duplicate-key": "Two manifests have the same key."
        => "Rename one of the two keys. A key is the identity of an agent and must be unique in the project.";
    BAD_PHONE_NUMBER = "bad-phone-number": "A phone number is not in E.164."
        => "Write the number in E.164: `+`, the country code and the number, without blanks, in quotes: `\"+15551234567\"`.";
    BAD_EMAIL = "bad-email": "An email address is not valid."
        => "Correct the address.";
    BAD_ID = "bad-id": "A text is not a valid id of the service."
        => "Copy the id from the service: `reachform list` shows the ids of agents.";
    DUPLICATE_ENTRY = "duplicate-entry": "A list names the same thing twice."
        => "Remove one of the two entries.";
    SLOT_CLAIMED_TWICE = "slot-claimed-twice": "Two manifests claim one direction of one phone number."
        => "Leave the number in one of the two manifests. Each direction of a number leads to one agent.";
    CLAIMED_TWICE = "claimed-twice": "Two manifests claim one widget, address or live agent."
        => "Leave the entry in one of the two manifests.";
    MOVED_TWICE = "moved-twice": "Two manifests name the same former key in `moved`."
        => "Leave the former key in the manifest that the agent now belongs to.";
    MOVED_BUT_THERE = "moved-but-there": "A key that was moved still has a manifest."
        => "Delete the manifest of the old key, or remove it from `moved`.";
    RESERVED_METADATA = "reserved-metadata": "`metadata.reachform` is declared, ignored or released."
        => "Remove it. `metadata.reachform` is what reachform itself records on the agent.";
    NOT_PATCHABLE = "not-patchable": "An environment's patch changes the key, or holds patches itself."
        => "Remove the field from the patch. An agent has the same key in all environments.";
    BAD_PATH = "bad-path": "A path is not a JSON pointer."
        => "Write a JSON pointer from the manifest's root, such as `/config/agent/stack/tts`.";
    UNKNOWN_PATH = "unknown-path": "A path does not begin with a managed field."
        => "Begin the path with a field that is managed, such as `/config`, `/name` or `/metadata`.";
    PATH_INSIDE_LIST = "path-inside-list": "A path leads into a list, which is always managed as a whole."
        => "Name the list itself. A list is compared and written as a whole.";
    BAD_DATE = "bad-date": "`until` is not a date."
        => "Write a date as `2026-12-31`.";
    RELEASE_DECLARED = "release-declared": "A released path is still declared."
        => "Remove the path from `release`, or remove the value from the manifest.";
    EMPTY_VERIFY = "empty-verify": "`verify` has no command."
        => "Write the command as a list: `verify: {command: [./check.sh, --fast]}`.";
    WITHHELD_VARIABLE = "withheld-variable": "`verify.env` names a variable that may hold a credential of the run."
        => "Remove the name. A program that a pull request can change must not get a credential; give it one of its own under another name.";
}

/// Mistakes that leave open what a file holds: which agents, and which numbers they claim.
pub const UNPARSED: [&str; 5] = [YAML_SYNTAX, YAML_TOO_DEEP, YAML_TOO_LARGE, DUPLICATE_YAML_KEY, RECURSIVE_ALIAS];
