//! What the contract leaves open, each as a type with the likely reading first.
//!
//! One table declares a switch once: its word on the command line, its type, its values and what each means. The
//! parser, the list for `--help` and the worlds that tests walk all come from it.

use serde::{Deserialize, Serialize};

/// A switch, for help texts and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The word before the `=`.
    pub key: &'static str,
    /// The words after it, the default first. For a number: its default, then values worth testing.
    pub values: &'static [&'static str],
    /// Whether any whole number is allowed, so that `values` are examples.
    pub numeric: bool,
    /// What it decides.
    pub about: &'static str,
}

macro_rules! switches {
    (
        choices { $(
            $field:ident: $type:ident = $key:literal, $about:literal {
                $first:ident = $first_word:literal, $first_about:literal
                $(; $variant:ident = $word:literal, $variant_about:literal)* $(;)?
            }
        )+ }
        flags { $( $flag:ident = $flag_key:literal, $default:literal, $other:literal, $flag_about:literal; )+ }
        numbers { $( $number:ident = $number_key:literal, $number_default:literal, [$($sample:literal),*], $number_about:literal; )+ }
    ) => {
        $(
            #[doc = $about]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            pub enum $type {
                #[doc = $first_about]
                #[default]
                $first,
                $( #[doc = $variant_about] $variant, )*
            }

            impl $type {
                fn parse(word: &str) -> Option<Self> {
                    match word {
                        $first_word => Some(Self::$first),
                        $( $word => Some(Self::$variant), )*
                        _ => None,
                    }
                }

                fn word(self) -> &'static str {
                    match self {
                        Self::$first => $first_word,
                        $( Self::$variant => $word, )*
                    }
                }
            }
        )+

        /// How the service behaves where the contract does not say; the default is the likely reading.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Behaviour {
            $( #[doc = $about] pub $field: $type, )+
            $( #[doc = $flag_about] pub $flag: bool, )+
            $( #[doc = $number_about] pub $number: u32, )+
        }

        impl Default for Behaviour {
            fn default() -> Self {
                Self {
                    $( $field: $type::default(), )+
                    $( $flag: $default == "yes", )+
                    $( $number: $number_default, )+
                }
            }
        }

        /// Every switch, in the order of the table.
        pub const SWITCHES: &[Switch] = &[
            $( Switch { key: $key, values: &[$first_word $(, $word)*], numeric: false, about: $about }, )+
            $( Switch { key: $flag_key, values: &[$default, $other], numeric: false, about: $flag_about }, )+
            $( Switch {
                key: $number_key,
                values: &[stringify!($number_default) $(, stringify!($sample))*],
                numeric: true,
                about: $number_about,
            }, )+
        ];

        impl Behaviour {
            /// Sets one switch; `false` where the value is none of its words. An unknown key is the caller's to refuse.
            pub(super) fn assign(&mut self, key: &str, word: &str) -> bool {
                match key {
                    $( $key => $type::parse(word).map(|value| self.$field = value).is_some(), )+
                    $( $flag_key => yes_or_no(word).map(|value| self.$flag = value).is_some(), )+
                    $( $number_key => word.parse().map(|value| self.$number = value).is_ok(), )+
                    _ => false,
                }
            }

            /// The value of every switch, as it is written on the command line, in the order of [`SWITCHES`].
            pub(super) fn words(&self) -> Vec<(&'static str, String)> {
                vec![
                    $( ($key, self.$field.word().to_owned()), )+
                    $( ($flag_key, if self.$flag { "yes" } else { "no" }.to_owned()), )+
                    $( ($number_key, self.$number.to_string()), )+
                ]
            }
        }
    };
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

switches! {
    choices {
        metadata: Metadata = "metadata", "What PUT does with an agent's metadata." {
            Replace = "replace", "The value that is sent replaces the stored one.";
            Merge = "merge", "Sent keys are laid over the stored ones; a null is stored.";
            DeepMerge = "deep-merge", "As a merge patch (RFC 7396): recursive, a null removes a key.";
        }
        publish: Publish = "publish", "What happens to slots that hold an older version of the agent when a newer one is published." {
            Pinned = "pinned", "They stay.";
            Follow = "follow", "They move to the new version on their own.";
        }
        publish_body: PublishBody = "publish-body", "Whether publish needs a body." {
            Optional = "optional", "A missing body counts as an empty object.";
            Required = "required", "A missing body is a 422.";
        }
        publish_unknown_number: UnknownNumber = "publish-unknown-number", "How publish refuses a number that the organization does not have." {
            NotFound = "404", "As something that is not there.";
            Invalid = "422", "As a body that is not valid.";
            BadRequest = "400", "As a bad request.";
        }
        publish_blocked: PublishBlocked = "publish-blocked", "How publish refuses stale or running instructions." {
            Conflict = "409", "As the errors page reads.";
            BadRequest = "400", "As PUT on a published version is refused.";
        }
        publish_both: PublishBoth = "publish-both", "Which list wins when a number is in both." {
            Assign = "assign", "The number ends assigned.";
            Unassign = "unassign", "The number ends empty.";
        }
        republish: Republish = "republish", "Whether a published version can be published again, to move numbers." {
            Allow = "allow", "Yes.";
            Refuse = "refuse", "No: 409.";
        }
        takeover: Takeover = "takeover", "Whether publish takes a slot that another agent holds." {
            Silent = "silent", "Yes, silently.";
            Conflict = "conflict", "No: 409, and the version is published all the same.";
        }
        defaults: Defaults = "defaults", "What happens to absent config fields that have a default." {
            Keep = "keep", "They stay absent.";
            Fill = "fill", "The default is stored.";
        }
        unknown_keys: UnknownKeys = "unknown-keys", "What happens to config keys that the schema does not name." {
            Keep = "keep", "They are stored.";
            Drop = "drop", "They are dropped silently.";
            Reject = "reject", "They are a 422.";
        }
        secrets: Secrets = "secrets", "How secrets in a config are read back." {
            Echo = "echo", "As they were sent.";
            Mask = "mask", "As eight asterisks.";
            MaskTail = "mask-tail", "As eight asterisks and the last four characters.";
        }
        viewer_config: ViewerConfig = "viewer-config", "What a token that may only read sees of a config." {
            Full = "full", "All that any token sees.";
            Masked = "masked", "Its secrets masked.";
        }
        put_config: PutConfig = "put-config", "What PUT does with a version's config." {
            Replace = "replace", "The config that is sent replaces the stored one.";
            Merge = "merge", "Sent keys are laid over the stored ones, recursively; a null is stored.";
        }
        key_order: KeyOrder = "key-order", "The order of keys in a config that is read back." {
            Kept = "kept", "As they were sent.";
            Sorted = "sorted", "By name.";
        }
        config_lists: ConfigLists = "config-lists", "The order of lists in a config that is stored." {
            Kept = "kept", "As they were sent.";
            Sorted = "sorted", "By what their elements hold.";
        }
        empty_values: EmptyValues = "empty-values", "What happens to empty lists, empty objects and nulls in a config." {
            Keep = "keep", "They are stored.";
            Drop = "drop", "They are left out if the schema does not require them.";
        }
        base_copies: BaseCopies = "base-copies", "What `base_version` copies." {
            Config = "config", "The config.";
            Inputs = "inputs", "The config and the builder inputs.";
        }
        drafts: Drafts = "drafts", "How many drafts an agent may have." {
            Many = "many", "Any number.";
            One = "one", "A second is refused: 409.";
        }
        latest: Latest = "latest", "What reading the version `latest` does." {
            MakesDraft = "makes-draft", "Makes a draft if none is newer than the live version.";
            Returns = "returns", "Returns the highest version.";
        }
        create_id: CreateId = "create-id", "What the id is called in the answer to a created agent." {
            Id = "id", "`id`.";
            AgentId = "agent_id", "`agent_id`.";
            Both = "both", "Both.";
        }
        delete_agent: DeleteAgent = "delete-agent", "What deleting an agent does to what points at it." {
            ClearsSlots = "clears-slots", "Slots, emails and routing are cleared, widgets deleted.";
            RefusedWhileReferenced = "refused-while-referenced", "The deletion is refused: 409.";
            LeavesDangling = "leaves-dangling", "Nothing: ids point nowhere.";
        }
        number_entries: NumberEntries = "number-entries", "How an agent lists its numbers." {
            PerSlot = "per-slot", "One entry for each slot, with its direction.";
            PerNumber = "per-number", "One entry for each number, its direction null.";
            Merged = "merged", "As per slot, but `both` where both slots hold one version.";
        }
        name_filter: NameFilter = "name-filter", "How the agent list's `name` filter matches." {
            Exact = "exact", "The whole name.";
            Substring = "substring", "Any part, whatever its case.";
        }
        order: Order = "order", "The order of lists." {
            Desc = "desc", "Newest first.";
            Asc = "asc", "Oldest first.";
        }
        page: PageLength = "page", "Whether a page before the last may be short." {
            Full = "full", "No.";
            Ragged = "ragged", "Yes: half of what is left, so that only an empty page is the end.";
        }
        envelope: Envelope = "envelope", "The shape of lists." {
            None = "none", "Bare arrays.";
            Data = "data", "`data` and `pagination`.";
        }
        cursor: Cursor = "cursor", "What a cursor is, and where the next one is given." {
            CreatedAt = "created-at", "The last item's `created_at` in base64, made by the client.";
            Header = "header", "An opaque text in the header `x-next-cursor`, empty on the last page; no other is taken.";
            Link = "link", "An opaque text in a `Link` header, absent on the last page; a creation time is taken too.";
            Ignored = "ignored", "Nothing: every page is the first.";
        }
        cursor_time: CursorTime = "cursor-time", "How a creation time in a cursor is compared with those of the list." {
            Exact = "exact", "To the microsecond.";
            Text = "text", "As the text that the list shows.";
            Milliseconds = "milliseconds", "Cut to milliseconds.";
        }
        limit_over: LimitOver = "limit-over", "What a limit above the greatest does." {
            Reject = "reject", "A 422.";
            Clamp = "clamp", "Counts as the greatest.";
        }
        limit_error: LimitError = "limit-error", "Whether that 422 names the limit." {
            Bound = "bound", "In `ctx.le`.";
            Bare = "bare", "No.";
        }
        ties: Ties = "ties", "Whether records share a `created_at`." {
            None = "none", "No two do.";
            Some = "some", "Three by three.";
            All = "all", "All of an hour.";
        }
        compare: Compare = "compare", "How the prose of a comparison is streamed." {
            Text = "text", "As plain text.";
            Events = "events", "As server-sent events.";
        }
        scopes: ScopesShape = "scopes", "The shape of the caller's scopes." {
            Array = "array", "A bare array.";
            Object = "object", "An object with `scopes`.";
        }
        email_taken: EmailTaken = "email-taken", "How an address in use is refused." {
            Conflict = "409", "As the documentation says.";
            BadRequest = "400", "As the client types say.";
        }
    }
    flags {
        publish_atomic = "publish-atomic", "yes", "no", "Whether publish checks all numbers before it writes one.";
        list_versions = "list-versions", "yes", "no", "Whether the agent list carries `versions`.";
        record_versions = "record-versions", "yes", "no", "Whether an agent's own record carries `versions`.";
        list_metadata = "list-metadata", "yes", "no", "Whether the agent list carries `metadata`.";
        list_numbers = "list-numbers", "yes", "no", "Whether the agent list carries `phone_numbers`.";
        authors = "authors", "yes", "no", "Whether `created_by` and `modified_by` are given.";
        reject_unpublished_widget = "reject-unpublished-widget", "no", "yes", "Whether a widget may not point at a draft.";
        voice_rewrite = "voice-rewrite", "yes", "no", "Whether `voice_id` becomes the first of `voice_ids`.";
        strip_text = "strip-text", "no", "yes", "Whether long texts lose their trailing spaces.";
        name_unique = "name-unique", "no", "yes", "Whether a second agent of a name is refused: 409.";
        put_marks_edited = "put-marks-edited", "yes", "no", "Whether PUT of a config counts as an edit by hand.";
        error_input = "error-input", "no", "yes", "Whether a 422 repeats the value that it refuses.";
    }
    numbers {
        limit_max = "limit-max", 1000, [3, 20], "The greatest `limit` of a list.";
        limit_default = "limit-default", 100, [2], "The `limit` of a list if none is sent.";
        eventual = "eventual", 0, [2], "For how many reads what was written is not seen.";
        job_requests = "job-requests", 3, [1], "After how many requests work in the background is done.";
    }
}
