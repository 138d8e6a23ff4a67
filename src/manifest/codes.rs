//! Every code that a manifest, or the project file, can be reported with. They are stable: people search for them.

macro_rules! codes {
    ($($name:ident = $code:literal: $what:literal;)*) => {
        $(#[doc = $what] pub const $name: &str = $code;)*

        /// All codes of this area with what each one means.
        pub const CODES: &[(&str, &str)] = &[$(($code, $what)),*];
    };
}

codes! {
    YAML_SYNTAX = "yaml-syntax": "The text is not valid YAML.";
    YAML_TOO_DEEP = "yaml-too-deep": "Values are nested too deeply.";
    YAML_TOO_LARGE = "yaml-too-large": "A file holds too many values, too much text or too many documents, counting aliases.";
    NOT_UTF8 = "not-utf8": "A file is not text in UTF-8.";
    DUPLICATE_YAML_KEY = "duplicate-yaml-key": "A map has the same key twice.";
    BAD_YAML_KEY = "bad-yaml-key": "A key is a list, a map or tagged.";
    BAD_MERGE_KEY = "bad-merge-key": "The value of `<<` is neither a map nor a list of maps.";
    RECURSIVE_ALIAS = "recursive-alias": "An alias is used inside the value that it refers to.";
    NUMBER_OUT_OF_RANGE = "number-out-of-range": "A number would lose digits in JSON, or cannot be written in JSON.";
    NUMBER_SPELLING = "number-spelling": "Text that looks like a number, such as `+15551234567`, is read as one.";
    TAG_MISMATCH = "tag-mismatch": "One of YAML's own tags, such as `!!int`, does not fit its value.";
    FILE_NOT_FOUND = "file-not-found": "`!file` names a file that does not exist.";
    FILE_OUTSIDE_PROJECT = "file-outside-project": "A path leads outside the project, perhaps through a symbolic link.";
    FILE_HIDDEN = "file-hidden": "A component of a path begins with a dot.";
    FILE_UNTRACKED = "file-untracked": "In a pipeline, a file is needed that git does not track.";
    TRACKED_FILES_UNKNOWN = "tracked-files-unknown": "In a pipeline, git could not list the files that it tracks.";
    FILE_TOO_LARGE = "file-too-large": "A file is too large.";
    FILE_UNREADABLE = "file-unreadable": "A file is a folder, or cannot be read.";
    FORGOTTEN_FILE = "forgotten-file": "A value is the path of a file, without `!file` in front of it.";
    CONFLICT_MARKERS = "conflict-markers": "A file holds conflict markers of an unfinished merge.";
    LFS_POINTER = "lfs-pointer": "A file is a Git LFS pointer whose content was not fetched.";
    NUL_CHARACTER = "nul-character": "A text holds the character U+0000.";
    EMPTY_FILE = "empty-file": "A text file behind `!file` is empty.";
    SECRET_LINE_END = "secret-line-end": "A secret begins or ends with a space or a line break.";
    FILE_KIND = "file-kind": "`!file` names a file that is neither text nor structure.";
    FILE_DOCUMENTS = "file-documents": "A file behind `!file` does not hold exactly one document.";
    FILE_CYCLE = "file-cycle": "A file includes itself.";
    FILE_TOO_DEEP = "file-too-deep": "Files include each other too deeply.";
    EXPANSION_TOO_LARGE = "expansion-too-large": "The files of one manifest are too large together.";
    PROJECT_TOO_LARGE = "project-too-large": "The manifests and their files are too large together.";
    TOO_MANY_PROBLEMS = "too-many-problems": "The manifests have more problems than are reported.";
    UNKNOWN_TAG = "unknown-tag": "A tag is none of `!file`, `!merge`, `!var`, `!secret`, `!agent` and `!format`.";
    BAD_TAG_USE = "bad-tag-use": "A tag is on a value that it does not accept, or in a place that allows none.";
    BAD_MERGE = "bad-merge": "`!merge` takes a list of maps.";
    BAD_FORMAT = "bad-format": "The text of `!format` has an unmatched brace or an unknown name.";
    UNKNOWN_VARIABLE = "unknown-variable": "The environment has no variable of that name.";
    BAD_SECRET_NAME = "bad-secret-name": "The name of a secret is not made of capitals, digits and underscores.";
    SECRET_NOT_ALLOWED = "secret-not-allowed": "A secret is used outside `config` and `metadata`.";
    SHORT_SECRET = "short-secret": "A secret is so short that it can be guessed, or hides common words.";
    AGENT_REFERENCE_UNSUPPORTED = "agent-reference-unsupported": "`!agent` is not available in this version.";
    NO_PROJECT_FOLDER = "no-project-folder": "The project's folder does not exist.";
    PROJECT_FILE_NAME = "project-file-name": "The project file is not named `reachform.yaml`.";
    NOT_A_PROJECT = "not-a-project": "The project file is not a map, or not a single document.";
    PROJECT_VERSION = "project-version": "The project file has a version other than 1.";
    TAG_NOT_ALLOWED = "tag-not-allowed": "The project file uses a tag.";
    BAD_NAME = "bad-name": "A project, an environment or a variable cannot be named like that.";
    BAD_TOKEN_NAME = "bad-token-name": "`token` does not name a variable that begins with `ANYREACH_TOKEN`.";
    UNKNOWN_ENVIRONMENT = "unknown-environment": "The project file has no environment of that name.";
    ENVIRONMENT_NOT_CHOSEN = "environment-not-chosen": "There are several environments, and none was chosen.";
    NO_MANIFESTS = "no-manifests": "A folder of manifests is missing or empty.";
    MANIFEST_IS_LINK = "manifest-is-link": "A manifest is a symbolic link.";
    NOT_A_MANIFEST = "not-a-manifest": "A document is not a map.";
    UNKNOWN_FIELD = "unknown-field": "A field is not known.";
    MISSING_FIELD = "missing-field": "A required field is missing.";
    WRONG_TYPE = "wrong-type": "A value has the wrong type for its field.";
    EMPTY_TEXT = "empty-text": "A text that must say something is empty.";
    BAD_KEY = "bad-key": "A key is not made of lower-case letters, digits and hyphens.";
    DUPLICATE_KEY = "duplicate-key": "Two manifests have the same key.";
    BAD_PHONE_NUMBER = "bad-phone-number": "A phone number is not in E.164.";
    BAD_EMAIL = "bad-email": "An email address is not valid.";
    BAD_ID = "bad-id": "A text is not a valid id of the service.";
    DUPLICATE_ENTRY = "duplicate-entry": "A list names the same thing twice.";
    SLOT_CLAIMED_TWICE = "slot-claimed-twice": "Two manifests claim one direction of one phone number.";
    CLAIMED_TWICE = "claimed-twice": "Two manifests claim one widget, address or live agent.";
    MOVED_TWICE = "moved-twice": "Two manifests name the same former key in `moved`.";
    MOVED_BUT_THERE = "moved-but-there": "A key that was moved still has a manifest.";
    RESERVED_METADATA = "reserved-metadata": "`metadata.reachform` is declared, ignored or released.";
    NOT_PATCHABLE = "not-patchable": "An environment's patch changes the key, or holds patches itself.";
    BAD_PATH = "bad-path": "A path is not a JSON pointer.";
    UNKNOWN_PATH = "unknown-path": "A path does not begin with a managed field.";
    PATH_INSIDE_LIST = "path-inside-list": "A path leads into a list, which is always managed as a whole.";
    BAD_DATE = "bad-date": "`until` is not a date.";
    RELEASE_DECLARED = "release-declared": "A released path is still declared.";
    EMPTY_VERIFY = "empty-verify": "`verify` has no command.";
    WITHHELD_VARIABLE = "withheld-variable": "`verify.env` names a variable that may hold a credential of the run.";
}

/// Mistakes that leave open what a file holds: which agents, and which numbers they claim.
pub const UNPARSED: [&str; 5] = [YAML_SYNTAX, YAML_TOO_DEEP, YAML_TOO_LARGE, DUPLICATE_YAML_KEY, RECURSIVE_ALIAS];
