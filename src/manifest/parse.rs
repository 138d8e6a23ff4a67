//! One document, files and patches already in it, to a manifest: every field read, every mistake gathered.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::codes;
use super::lower::{Locations, into_value};
use super::session::Session;
use super::tags::{At, Secrets, Settled};
use super::tree::{Entry, Kind, Node};
use super::yaml::shorten;
use crate::diagnostics::{Diagnostic, Span};
use crate::model::desired::Origin;
use crate::model::live::is_id;
use crate::model::stamp::STAMP_KEY;
use crate::model::verify::is_withheld;
use crate::model::{Declared, Desired, Digest, Direction, FieldPath, Key, PhoneNumber, Slot, Slots, Verify};

/// Every field of a manifest.
pub const FIELDS: [&str; 18] = [
    "key",
    "name",
    "description",
    "active",
    "metadata",
    "config",
    "phone_numbers",
    "web_widgets",
    "email_addresses",
    "sip_endpoint",
    "protect",
    "ignore",
    "release",
    "environments",
    "id",
    "moved",
    "instruction_builder_inputs",
    "verify",
];

/// Something that only one manifest may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    Slot(Slot),
    Widget(String),
    Email(String),
    Agent(String),
}

/// One manifest with the places that comparing it with others needs.
#[derive(Debug)]
pub struct Manifest {
    /// What it wants.
    pub desired: Desired,
    /// Where its values stand.
    pub locations: Locations,
    /// Where its key stands; `None` where it has none and one was made up, so that the rest can be checked all the same.
    pub(super) key_span: Option<Span>,
    pub(super) claims: Vec<(Claim, Span)>,
    pub(super) moved: Vec<(Key, Span)>,
}

/// What is gathered while the fields are read.
#[derive(Default)]
struct Draft {
    key: Option<(Key, Span)>,
    has_key: bool,
    name: Option<String>,
    has_name: bool,
    tree: Map<String, Value>,
    settled: Settled,
    slots: Slots,
    web_widgets: Option<BTreeSet<String>>,
    email_addresses: Option<BTreeSet<String>>,
    sip_endpoint: Option<bool>,
    builder_inputs: Option<Value>,
    protect: bool,
    id: Option<String>,
    verify: Option<Verify>,
    claims: Vec<(Claim, Span)>,
    moved: Vec<(Key, Span)>,
    ignore: Option<Node>,
    release: Option<Node>,
}

impl Session<'_> {
    /// Reads the fields of a manifest, which is a map and begins at `start`.
    pub fn manifest(&mut self, mut root: Node, start: &Span) -> Manifest {
        let mut draft = Draft::default();
        if let Kind::Map(entries) = &mut root.kind {
            for entry in entries {
                self.settle_field(entry, &mut draft.settled);
            }
        }
        let locations = Locations::of(&root);
        if let Kind::Map(entries) = root.kind {
            for entry in entries {
                self.field(entry, &mut draft);
            }
        }
        self.finish(draft, locations, start)
    }

    fn settle_field(&mut self, entry: &mut Entry, out: &mut Settled) {
        match entry.key.as_str() {
            "config" | "metadata" => self.settle(&mut entry.value, At::field(&entry.key), Secrets::Allowed, out),
            "key" => {
                if let Some(tag) = entry.value.tag.take() {
                    let problem = Diagnostic::error(
                        codes::BAD_TAG_USE,
                        format!("`key` must be written out, without `!{}`", tag.name),
                    );
                    self.report(
                        problem.span(tag.span).hint("it is the agent's identity, the same in every environment"),
                    );
                    entry.value.kind = Kind::Hole;
                }
            }
            key if FIELDS.contains(&key) => {
                let mut unused = Settled::default();
                self.settle(&mut entry.value, At::field(&entry.key), Secrets::Refused, &mut unused);
            }
            _ => {}
        }
    }

    fn field(&mut self, entry: Entry, draft: &mut Draft) {
        let Entry { key, key_span, value } = entry;
        match key.as_str() {
            "key" => {
                draft.has_key = true;
                draft.key = self.key(&value, "`key`").map(|key| (key, value.span.clone()));
            }
            "name" => {
                draft.has_name = true;
                if let Some(name) = self.filled_text(&value, "`name`") {
                    draft.name = Some(name.to_owned());
                    draft.tree.insert(key, Value::String(name.to_owned()));
                }
            }
            "description" => {
                if matches!(value.kind, Kind::Null) {
                    draft.tree.insert(key, Value::Null);
                } else if let Some(text) = self.text(&value, "`description`") {
                    draft.tree.insert(key, Value::String(text.to_owned()));
                }
            }
            "active" => {
                if let Some(active) = self.boolean(&value, "`active`") {
                    draft.tree.insert(key, Value::Bool(active));
                }
            }
            "metadata" => {
                if let Kind::Map(entries) = &value.kind {
                    self.refuse_stamp(entries);
                    draft.tree.insert(key, into_value(value));
                } else {
                    self.wrong_type(&value, "`metadata`", "a map (reachform keeps its own record in it)");
                }
            }
            "config" => {
                if matches!(value.kind, Kind::Map(_)) {
                    draft.tree.insert(key, into_value(value));
                } else {
                    self.wrong_type(&value, "`config`", "a map");
                }
            }
            "phone_numbers" => self.phone_numbers(&value, draft),
            "web_widgets" => draft.web_widgets = self.ids(&value, "`web_widgets`", Claim::Widget, &mut draft.claims),
            "email_addresses" => {
                draft.email_addresses = self.ids(&value, "`email_addresses`", Claim::Email, &mut draft.claims);
            }
            "sip_endpoint" => draft.sip_endpoint = self.boolean(&value, "`sip_endpoint`"),
            "protect" => draft.protect = self.boolean(&value, "`protect`").unwrap_or(true),
            "ignore" => draft.ignore = Some(value),
            "release" => draft.release = Some(value),
            "id" => {
                draft.id = self.filled_text(&value, "`id`").map(str::to_owned).filter(|id| self.fits(id, &value));
                draft.claims.extend(draft.id.clone().map(|id| (Claim::Agent(id), value.span.clone())));
            }
            "moved" => {
                for item in self.list(&value, "`moved`").unwrap_or_default() {
                    draft.moved.extend(self.key(item, "a key in `moved`").map(|key| (key, item.span.clone())));
                }
            }
            "instruction_builder_inputs" => match &value.kind {
                Kind::Map(_) => draft.builder_inputs = Some(into_value(value)),
                _ => self.wrong_type(&value, "`instruction_builder_inputs`", "a map"),
            },
            "verify" => draft.verify = self.verify(&value),
            _ => self.unknown_field(&key, &key_span, &FIELDS, "a manifest"),
        }
    }

    fn finish(&mut self, draft: Draft, locations: Locations, start: &Span) -> Manifest {
        let file = self.sources.name(start.file).to_owned();
        let line = self.sources.position(start.file, start.start).line;
        let suggestion = Key::suggest(draft.name.as_deref().unwrap_or_else(|| stem(&file)));
        if !draft.has_key {
            let problem = Diagnostic::error(codes::MISSING_FIELD, "the manifest has no `key`").span(start.clone());
            self.report(
                problem.hint(format!("add `key: {suggestion}`; it is the agent's identity and stays as it is")),
            );
        }
        if !draft.has_name {
            let problem = Diagnostic::error(codes::MISSING_FIELD, "the manifest has no `name`").span(start.clone());
            self.report(problem.hint("add `name:` with the agent's display name"));
        }
        let tree = Value::Object(draft.tree);
        let source = source_digest(tree.get("config"), &draft.settled.tags);
        let (key, key_span) = draft.key.map_or((suggestion, None), |(key, span)| (key, Some(span)));
        let ignore = draft.ignore.map(|node| self.ignore(&node, &tree)).unwrap_or_default();
        let release = draft.release.map(|node| self.release(&node, &tree)).unwrap_or_default();
        let desired = Desired {
            name: draft.name.unwrap_or_else(|| key.to_string()),
            origin: Origin { file, line },
            declared: Declared::new(tree, draft.settled.secrets.into_iter().collect()),
            slots: draft.slots,
            web_widgets: draft.web_widgets,
            email_addresses: draft.email_addresses,
            sip_endpoint: draft.sip_endpoint,
            builder_inputs: draft.builder_inputs,
            protect: draft.protect,
            ignore,
            release,
            id: draft.id,
            moved: draft.moved.iter().map(|(key, _)| key.clone()).collect(),
            verify: draft.verify,
            source,
            key,
        };
        Manifest { desired, locations, key_span, claims: draft.claims, moved: draft.moved }
    }

    fn key(&mut self, node: &Node, what: &str) -> Option<Key> {
        let text = self.filled_text(node, what)?;
        if let Some(key) = Key::parse(text) {
            return Some(key);
        }
        let suggestion = Key::suggest(text);
        let problem = Diagnostic::error(codes::BAD_KEY, format!("`{}` is not a valid key", shorten(text)))
            .span(node.span.clone())
            .hint("a key consists of `a` to `z`, `0` to `9` and `-`, begins with a letter or a digit, and has at most 63 characters")
            .fix(node.span.clone(), suggestion.as_str(), format!("write `{suggestion}`"));
        self.report(problem);
        None
    }

    fn refuse_stamp(&mut self, metadata: &[Entry]) {
        if let Some(entry) = metadata.iter().find(|entry| entry.key == STAMP_KEY) {
            let message = format!("`metadata.{STAMP_KEY}` is reserved for reachform");
            let problem = Diagnostic::error(codes::RESERVED_METADATA, message).span(entry.key_span.clone());
            self.report(problem.hint("what was applied is recorded there; remove it from the manifest"));
        }
    }

    fn phone_numbers(&mut self, node: &Node, draft: &mut Draft) {
        let Kind::Map(entries) = &node.kind else {
            if matches!(node.kind, Kind::List(_)) {
                let problem = Diagnostic::error(codes::WRONG_TYPE, "`phone_numbers` must be a map, not a list")
                    .span(node.span.clone())
                    .hint("write `phone_numbers: {inbound: [\"+15551234567\"], outbound: [\"+15551234567\"]}`");
                return self.report(problem);
            }
            return self.wrong_type(node, "`phone_numbers`", "a map with `inbound` and `outbound`");
        };
        for entry in entries {
            let direction = Direction::ALL.into_iter().find(|direction| direction.as_str() == entry.key);
            let Some(direction) = direction else {
                let known = Direction::ALL.map(Direction::as_str);
                self.unknown_field(&entry.key, &entry.key_span, &known, "`phone_numbers`");
                continue;
            };
            let what = format!("`phone_numbers.{direction}`");
            let Some(items) = self.list(&entry.value, &what) else { continue };
            let mut numbers = BTreeSet::new();
            for item in items {
                let Some(number) = self.phone_number(item) else { continue };
                if numbers.insert(number.clone()) {
                    draft.claims.push((Claim::Slot(Slot { number, direction }), item.span.clone()));
                } else {
                    self.report_twice(number.as_str(), item, &what);
                }
            }
            match direction {
                Direction::Inbound => draft.slots.inbound = Some(numbers),
                Direction::Outbound => draft.slots.outbound = Some(numbers),
            }
        }
    }

    fn phone_number(&mut self, node: &Node) -> Option<PhoneNumber> {
        let text = self.text(node, "a phone number")?;
        if let Some(number) = PhoneNumber::parse(text) {
            return Some(number);
        }
        let problem = Diagnostic::error(
            codes::BAD_PHONE_NUMBER,
            format!("`{}` is not a phone number in E.164 format", shorten(text)),
        )
        .span(node.span.clone());
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
        let international = digits.strip_prefix("00").map_or_else(|| digits.clone(), |rest| format!("+{rest}"));
        self.report(match PhoneNumber::parse(&international) {
            Some(number) => problem.fix(node.span.clone(), format!("\"{number}\""), format!("write `{number}`")),
            None => {
                problem.hint("E.164 is `+`, the country code and the number, 7 to 15 digits in all: `+15551234567`")
            }
        });
        None
    }

    fn ids(
        &mut self,
        node: &Node,
        what: &str,
        claim: fn(String) -> Claim,
        claims: &mut Vec<(Claim, Span)>,
    ) -> Option<BTreeSet<String>> {
        let mut out = BTreeSet::new();
        for item in self.list(node, what)? {
            let Some(text) = self.filled_text(item, &format!("an entry of {what}")) else { continue };
            let text = text.to_owned();
            let is_good = match claim(String::new()) {
                Claim::Email(_) => self.is_address(&text, item),
                Claim::Slot(_) | Claim::Widget(_) | Claim::Agent(_) => self.fits(&text, item),
            };
            if !is_good {
                continue;
            }
            if out.insert(text.clone()) {
                claims.push((claim(text), item.span.clone()));
            } else {
                self.report_twice(&text, item, what);
            }
        }
        Some(out)
    }

    fn is_address(&mut self, text: &str, node: &Node) -> bool {
        if text.contains('@') {
            return true;
        }
        let problem = Diagnostic::error(codes::BAD_EMAIL, format!("`{}` is not an email address", shorten(text)));
        self.report(problem.span(node.span.clone()));
        false
    }

    /// Whether a text can be an id, which goes into the paths of requests.
    fn fits(&mut self, id: &str, node: &Node) -> bool {
        if is_id(id) {
            return true;
        }
        let problem = Diagnostic::error(codes::BAD_ID, format!("`{}` is not a valid id of the service", shorten(id)));
        self.report(problem.span(node.span.clone()).hint("an id consists of letters, digits, `_`, `.`, `~` and `-`"));
        false
    }

    fn report_twice(&mut self, text: &str, node: &Node, what: &str) {
        let problem =
            Diagnostic::warning(codes::DUPLICATE_ENTRY, format!("`{}` is listed twice in {what}", shorten(text)));
        self.report(problem.span(node.span.clone()));
    }

    fn verify(&mut self, node: &Node) -> Option<Verify> {
        let mut verify = Verify { command: Vec::new(), env: Vec::new() };
        let mut command_at = node;
        match &node.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    match entry.key.as_str() {
                        "command" => {
                            command_at = &entry.value;
                            verify.command = self.texts(&entry.value, "`verify.command`");
                        }
                        "env" => verify.env = self.verify_env(&entry.value),
                        key => self.unknown_field(key, &entry.key_span, &["command", "env"], "`verify`"),
                    }
                }
            }
            Kind::Text(_) => {
                let problem = Diagnostic::error(codes::WRONG_TYPE, "`verify` must be a list of arguments, not text");
                self.report(
                    problem.span(node.span.clone()).hint("no shell reads it: write `verify: [./check.sh, --fast]`"),
                );
                return None;
            }
            _ => verify.command = self.texts(node, "`verify`"),
        }
        if verify.command.is_empty() {
            if matches!(&command_at.kind, Kind::List(items) if items.is_empty()) || std::ptr::eq(command_at, node) {
                self.report(
                    Diagnostic::error(codes::EMPTY_VERIFY, "`verify` without a command").span(node.span.clone()),
                );
            }
            return None;
        }
        Some(verify)
    }

    /// Names of variables. Those that may hold a credential of the run reach no program.
    fn verify_env(&mut self, node: &Node) -> Vec<String> {
        let mut names = Vec::new();
        for item in self.list(node, "`verify.env`").unwrap_or_default() {
            let Some(name) = self.text(item, "an entry of `verify.env`").map(str::to_owned) else { continue };
            if is_withheld(&name) {
                let message = format!("`{}` cannot be passed to `verify`", shorten(&name));
                let problem = Diagnostic::error(codes::WITHHELD_VARIABLE, message).span(item.span.clone());
                self.report(
                    problem
                        .label("it holds a credential of this run, or gives access to one")
                        .hint("remove it: with it, the program could do everything that this run may do")
                        .hint("if the check needs access of its own, put a token with no other rights into a variable of another name"),
                );
            } else {
                names.push(name);
            }
        }
        names
    }

    fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        let items = self.list(node, what).unwrap_or_default();
        items.iter().filter_map(|item| self.text(item, &format!("an entry of {what}")).map(str::to_owned)).collect()
    }
}

/// The name of a file without folder and extension.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name)
}

/// SHA-256 of the config in which a scalar tag stands as what was written, so that it is equal in every environment and
/// for every secret.
fn source_digest(config: Option<&Value>, tags: &[(FieldPath, String, String)]) -> Digest {
    let Some(config) = config else { return Digest::of(&Value::Null) };
    let mut written: Option<Value> = None;
    for (path, tag, argument) in tags {
        if let Some(path) = path.within_config() {
            let tagged =
                Value::Object(Map::from_iter([(format!("!{tag}"), Value::String(argument.trim().to_owned()))]));
            path.set(written.get_or_insert_with(|| config.clone()), tagged);
        }
    }
    Digest::of(written.as_ref().unwrap_or(config))
}
