//! One live agent as a manifest: its config in the schema's order without what the schema says anyway, its texts in
//! files, its secrets by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::manifest::compose::{Entry, Piece, TextForm};
use crate::model::stamp::STAMP_KEY;
use crate::model::{ConfigShape as _, Coverage, Direction, FieldPath, LiveAgent, PhoneNumber, Seal, Stamp};
use crate::plan::compare::Sides;
use crate::plan::mask::{Labels, Mask, Part, Secrecy};
use crate::plan::{LeftOut, SecretUse};

use super::World;
use super::choose::{Candidate, PROMPTS};
use super::secrets::Names;

/// Most lines of a text that stays in the manifest.
const LINES: usize = 3;

/// Most characters of one.
const LENGTH: usize = 600;

/// Most bytes of a file that `!file` reads.
const FILE: usize = 1024 * 1024;

/// Longest name of a file behind the agent's key.
const LONGEST_TAIL: usize = 120;

/// What is done differently at a path, and below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fix {
    /// Texts stay in the manifest.
    Inline,
    /// Texts are quoted.
    Quoted,
    /// It is not declared, for this reason.
    Out(String),
}

/// The fixes of one agent.
pub(super) type Fixes = BTreeMap<FieldPath, Fix>;

/// A manifest before it is text.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub entries: Vec<Entry>,
    pub left_out: Vec<LeftOut>,
    pub secrets: Vec<(String, SecretUse)>,
    /// The names of its files, without their folder and extension.
    stems: Vec<String>,
    /// What reading it back must give, secrets by name.
    pub expected: Value,
}

pub(super) struct Declaring<'a> {
    world: &'a World<'a>,
    candidate: &'a Candidate,
    agent: &'a LiveAgent,
    config: &'a Value,
    mask: Mask<'a>,
    fixes: &'a Fixes,
    names: &'a mut Names,
    /// The path of the longest text, which is named after the agent alone.
    longest: Option<FieldPath>,
    out: Draft,
}

/// Declares all of an agent but for what the fixes say.
pub(super) fn declare(
    world: &World<'_>,
    candidate: &Candidate,
    fixes: &Fixes,
    names: &mut Names,
) -> Result<Draft, String> {
    let agent = world.live().agents.get(&candidate.agent_id).ok_or("it is gone")?;
    let config = &agent.configs.get(&candidate.version).ok_or("its config could not be read")?.config;
    let stamp = Stamp::read(&agent.metadata).ok().flatten();
    let labels = Labels::default();
    let mask = mask(world, config, stamp.as_ref(), &labels);
    let out = Draft {
        entries: Vec::new(),
        left_out: Vec::new(),
        secrets: Vec::new(),
        stems: Vec::new(),
        expected: Value::Null,
    };
    let longest = longest(config);
    let declaring = Declaring { world, candidate, agent, config, mask, fixes, names, longest, out };
    if declaring.secrecy(&FieldPath::of(["name"]), &agent.name) != Secrecy::Open {
        return Err("its name holds a secret, which would stand in every plan: rename it first".to_owned());
    }
    Ok(declaring.all())
}

fn mask<'a>(world: &'a World<'_>, config: &'a Value, stamp: Option<&'a Stamp>, labels: &'a Labels) -> Mask<'a> {
    Mask {
        shape: world.service.schema.as_ref(),
        declared: None,
        as_applied: false,
        config,
        seal: stamp.map(Seal::of),
        not_secret: &world.options.not_secret,
        labels,
    }
}

/// Learns the secrets of an agent, to recognise them in the texts of any.
pub(super) fn learn(world: &World<'_>, candidate: &Candidate, names: &mut Names) {
    let Some(agent) = world.live().agents.get(&candidate.agent_id) else { return };
    let Some(live) = agent.configs.get(&candidate.version) else { return };
    let stamp = Stamp::read(&agent.metadata).ok().flatten();
    let labels = Labels::default();
    let mask = mask(world, &live.config, stamp.as_ref(), &labels);
    names.learn(&mask, &FieldPath::of(["config"]), &live.config);
    names.learn(&mask, &FieldPath::of(["metadata"]), &agent.metadata);
}

impl Declaring<'_> {
    fn all(mut self) -> Draft {
        let (agent, candidate) = (self.agent, self.candidate);
        let field = |name: &str, piece| Entry::Field(name.to_owned(), piece);
        let text = |text: &str| Piece::Text(text.to_owned(), TextForm::Laid);
        let mut entries = vec![field("key", text(candidate.key.as_str()))];
        entries.push(field("name", self.plain_text(&FieldPath::of(["name"]), &agent.name)));
        if candidate.needs_id {
            entries.push(Entry::Note("Another agent has the same name, so the id says which one is meant.".to_owned()));
            entries.push(field("id", text(&agent.id)));
        }
        if let Some(description) =
            agent.description.as_deref().filter(|text| self.world.importing.full || !text.is_empty())
        {
            let path = FieldPath::of(["description"]);
            let is_secret = self.secrecy(&path, description) != Secrecy::Open;
            let reason = is_secret.then_some("it holds a secret, which a description cannot bring in");
            if let Some(reason) = reason.map(str::to_owned).or_else(|| self.out_at(&path)) {
                entries.push(self.leave_out(&path, reason));
            } else {
                entries.push(field("description", self.plain_text(&path, description)));
            }
        }
        if agent.active == Some(false) || (self.world.importing.full && agent.active.is_some()) {
            entries.push(field("active", Piece::Plain(Value::Bool(agent.active == Some(true)))));
        }
        entries.extend(self.metadata());
        let config = self.value(&FieldPath::config(), self.config);
        entries.extend([Entry::Gap, field("config", config)]);
        let numbers = self.numbers();
        if !numbers.is_empty() {
            entries.push(Entry::Gap);
            entries.extend(numbers);
        }
        entries.extend(self.elsewhere());
        entries.extend(self.other_environments());
        self.out.expected = Piece::Map(entries.clone()).value();
        self.out.entries = entries;
        self.out
    }

    /// The keys that somebody wrote there. What reads as the service's own record is not claimed.
    fn metadata(&mut self) -> Vec<Entry> {
        let Value::Object(map) = &self.agent.metadata else { return Vec::new() };
        let path = FieldPath::of(["metadata"]);
        let mut entries = Vec::new();
        for (name, value) in map.iter().filter(|(name, _)| *name != STAMP_KEY) {
            let at = path.child(name);
            let reason = is_the_services_own(name).then(|| "it looks like a record of the service itself".to_owned());
            match reason.or_else(|| self.out_at(&at)) {
                Some(reason) => entries.push(self.leave_out(&at, reason)),
                None => entries.push(Entry::Field(name.clone(), self.value(&at, value))),
            }
        }
        if entries.iter().any(|entry| matches!(entry, Entry::Field(..))) {
            return vec![Entry::Field("metadata".to_owned(), Piece::Map(entries))];
        }
        let notes = entries.into_iter().map(|entry| match entry {
            Entry::Note(text) => Entry::Note(format!("metadata.{text}")),
            other => other,
        });
        notes.collect()
    }

    fn value(&mut self, path: &FieldPath, value: &Value) -> Piece {
        match value {
            Value::String(text) => self.text(path, text),
            Value::Array(items) if !items.is_empty() => {
                Piece::List(items.iter().enumerate().map(|(at, item)| self.value(&path.index(at), item)).collect())
            }
            Value::Object(map) if !map.is_empty() => Piece::Map(self.map(path, map)),
            other => Piece::Plain(other.clone()),
        }
    }

    fn map(&mut self, path: &FieldPath, map: &Map<String, Value>) -> Vec<Entry> {
        let mut names =
            if path.in_config() { self.world.service.schema.property_order(self.config, path) } else { Vec::new() };
        names.retain(|name| map.contains_key(name));
        let rest = map.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
        names.extend(rest);
        let mut entries = Vec::new();
        for name in names {
            let (at, Some(value)) = (path.child(&name), map.get(&name)) else { continue };
            if let Some(reason) = self.out_at(&at) {
                entries.push(self.leave_out(&at, reason));
            } else if self.world.importing.full || !self.is_default(&at, value) {
                entries.push(Entry::Field(name, self.value(&at, value)));
            }
        }
        entries
    }

    /// Whether the schema says the value anyway. What says of which kind an object is stays, for a reader's sake.
    fn is_default(&self, path: &FieldPath, value: &Value) -> bool {
        let schema = self.world.service.schema.as_ref();
        let sides = Sides { shape: schema, wanted: self.config, live: self.config };
        path.in_config()
            && schema.default_at(self.config, path).is_some_and(|default| sides.equal(path, &default, value))
            && !schema.requires(self.config, path)
            && !schema.names_kind(self.config, path)
    }

    fn secrecy(&self, path: &FieldPath, text: &str) -> Secrecy {
        let found = self.mask.secrecy(path, &Value::String(text.to_owned()));
        match found {
            Secrecy::Open if self.world.importing.redactor.hide(text).is_some() => Secrecy::Whole,
            // What is a secret in its own place is one wherever else it is written.
            Secrecy::Open => match self.names.split(text) {
                None => Secrecy::Open,
                Some(parts) if parts == [Part::Secret] => Secrecy::Whole,
                Some(parts) => Secrecy::Parts(parts),
            },
            Secrecy::Parts(parts) => Secrecy::Parts(
                parts
                    .into_iter()
                    .flat_map(|part| match &part {
                        Part::Text(plain) => self.names.split(plain).unwrap_or_else(|| vec![part]),
                        Part::Secret => vec![part],
                    })
                    .collect(),
            ),
            Secrecy::Whole => Secrecy::Whole,
        }
    }

    fn text(&mut self, path: &FieldPath, text: &str) -> Piece {
        match self.secrecy(path, text) {
            Secrecy::Open => self.plain_text(path, text),
            Secrecy::Whole => Piece::Secret(self.secret(path, 0, text)),
            Secrecy::Parts(parts) => {
                let mut format = String::new();
                let mut rest = text;
                for (index, part) in parts.iter().enumerate() {
                    match part {
                        Part::Text(plain) => {
                            format.push_str(&plain.replace('{', "{{").replace('}', "}}"));
                            rest = rest.get(plain.len()..).unwrap_or_default();
                        }
                        Part::Secret => {
                            let next = parts.get(index + 1..).unwrap_or_default().iter().find_map(|part| match part {
                                Part::Text(plain) if !plain.is_empty() => Some(plain.as_str()),
                                Part::Text(_) | Part::Secret => None,
                            });
                            let end = next.and_then(|next| rest.find(next)).unwrap_or(rest.len());
                            let name = self.secret(path, index, rest.get(..end).unwrap_or_default());
                            format.extend(["{secret:", &name, "}"]);
                            rest = rest.get(end..).unwrap_or_default();
                        }
                    }
                }
                Piece::Format(format)
            }
        }
    }

    fn secret(&mut self, path: &FieldPath, part: usize, value: &str) -> String {
        let name = self.names.of(&self.candidate.key, path, part, value);
        let address = crate::model::Address(self.candidate.key.clone());
        self.out.secrets.push((name.clone(), SecretUse { address, path: path.clone() }));
        name
    }

    fn plain_text(&mut self, path: &FieldPath, text: &str) -> Piece {
        let fix = self.fixes.iter().filter(|(at, _)| path.starts_with(at)).map(|(_, fix)| fix).max();
        if fix == Some(&Fix::Quoted) {
            return Piece::Text(text.to_owned(), TextForm::Quoted);
        }
        let is_long = text.trim_end().lines().count() > LINES || text.chars().nth(LENGTH).is_some();
        let survives = !text.contains('\r') && !text.starts_with('\u{feff}') && text.len() <= FILE;
        if is_long && survives && path.in_config() && fix.is_none() {
            let depth = self.candidate.file.matches('/').count();
            let path = format!("{}{PROMPTS}/{}.md", "../".repeat(depth), self.file_stem(path));
            return Piece::File { path, text: text.to_owned() };
        }
        Piece::Text(text.to_owned(), TextForm::Laid)
    }

    /// What the file of a text is called: the agent's key, and for all but the longest text what it is. No key has a dot
    /// in it, so no two agents meet.
    fn file_stem(&mut self, path: &FieldPath) -> String {
        let key = self.candidate.key.clone();
        if self.longest.as_ref() == Some(path) {
            return key.to_string();
        }
        let mut words = Vec::new();
        let mut at = self.config;
        let inner = path.within_config().unwrap_or_default();
        for step in inner.steps() {
            let child = match at {
                Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => at.get(step),
            };
            let Some(child) = child else { break };
            let named = child.get("name").and_then(Value::as_str);
            let word = if at.is_array() { named.unwrap_or(step) } else { step };
            words.push(crate::model::Key::suggest(word).to_string());
            at = child;
        }
        let tail = words.get(words.len().saturating_sub(2)..).unwrap_or_default().join("-");
        let tail: String = tail.chars().take(LONGEST_TAIL).collect();
        let mut stem = format!("{key}.{tail}");
        let mut number = 1;
        while self.out.stems.contains(&stem) {
            number += 1;
            stem = format!("{key}.{tail}-{number}");
        }
        self.out.stems.push(stem.clone());
        stem
    }

    fn numbers(&mut self) -> Vec<Entry> {
        let mut fields = Vec::new();
        let mut notes = Vec::new();
        for direction in Direction::ALL {
            match self.slots(direction) {
                Ok(numbers) if numbers.is_empty() => {}
                Ok(numbers) => {
                    let list = numbers.iter().map(|number| Piece::Text(number.as_str().to_owned(), TextForm::Quoted));
                    fields.push(Entry::Field(direction.as_str().to_owned(), Piece::List(list.collect())));
                }
                Err(reason) => {
                    let path = FieldPath::of(["phone_numbers", direction.as_str()]);
                    let Entry::Note(note) = self.leave_out(&path, reason) else { continue };
                    notes.push(Entry::Note(format!("phone_numbers.{note}")));
                }
            }
        }
        if !fields.is_empty() {
            notes.push(Entry::Field("phone_numbers".to_owned(), Piece::Map(fields)));
        }
        notes
    }

    /// The numbers of a direction that point at the live version, or why the direction is left out.
    fn slots(&self, direction: Direction) -> Result<Vec<PhoneNumber>, String> {
        let live = self.world.live();
        let mut here = Vec::new();
        let mut older = Vec::new();
        for number in live.numbers.values() {
            let Some(id) = number.slot(direction) else { continue };
            let Some(head) = self.agent.versions.iter().find(|head| head.id == id) else { continue };
            if head.version == self.candidate.version {
                here.push(number.number.clone());
            } else {
                older.push(format!("{} (version {})", number.number, head.version));
            }
        }
        let all = here.len() + older.len();
        let path = FieldPath::of(["phone_numbers", direction.as_str()]);
        if let Some(reason) = self.out_at(&path).filter(|_| all > 0) {
            return Err(reason);
        }
        if !older.is_empty() {
            let live = self.candidate.version;
            return Err(format!("{} would be moved to version {live}, which is live", older.join(", ")));
        }
        if let Some(number) = here.iter().find(|number| PhoneNumber::parse(number.as_str()).is_none()) {
            return Err(format!("`{number}` is not in E.164 format, as `+15551234567`"));
        }
        let undirected = || self.agent.own_numbers.iter().any(|(_, direction, _)| direction.is_none());
        match &live.number_coverage {
            Coverage::Forbidden(_) if all > 0 && undirected() => {
                Err("this credential may not list phone numbers, and the agent does not say which direction they serve"
                    .to_owned())
            }
            Coverage::Incomplete(reason) => Err(format!("not all phone numbers could be read: {reason}")),
            Coverage::Proven | Coverage::Unproven(_) | Coverage::Forbidden(_) => Ok(here),
        }
    }

    /// What manifests cannot manage yet, so that nobody believes that it follows.
    fn elsewhere(&mut self) -> Vec<Entry> {
        let mut notes = Vec::new();
        let ids: Vec<&str> = self.agent.widgets.iter().map(|widget| widget.id.as_str()).collect();
        let of_agent = self.agent.versions.iter().filter_map(|head| self.world.emails.get(&head.id));
        let addresses: Vec<&str> = of_agent.flatten().map(String::as_str).collect();
        for (field, what) in [("web_widgets", ids), ("email_addresses", addresses)] {
            if !what.is_empty() {
                let reason = format!("manifests cannot manage them yet, so they stay as they are: {}", what.join(", "));
                notes.push(self.leave_out(&FieldPath::of([field]), reason));
            }
        }
        if self.agent.sip_deployed {
            let reason = "manifests cannot manage it yet, so the agent stays exposed over SIP";
            notes.push(self.leave_out(&FieldPath::of(["sip_endpoint"]), reason.to_owned()));
        }
        if !notes.is_empty() {
            notes.insert(0, Entry::Gap);
        }
        notes
    }

    /// A manifest counts in every environment that does not say otherwise, and nobody asked for the agent there.
    fn other_environments(&self) -> Vec<Entry> {
        let project = &self.world.workspace.resolved.project;
        let others: Vec<&String> = project.environments.keys().filter(|name| **name != project.environment).collect();
        if others.is_empty() {
            return Vec::new();
        }
        let fields = others.iter().map(|name| Entry::Field((*name).clone(), Piece::Plain(Value::Bool(false))));
        vec![
            Entry::Gap,
            Entry::Note(format!(
                "Imported from {}. Take an environment out of this list to have the agent there, too.",
                project.environment
            )),
            Entry::Field("environments".to_owned(), Piece::Lines(fields.collect())),
        ]
    }

    fn out_at(&self, path: &FieldPath) -> Option<String> {
        match self.fixes.get(path) {
            Some(Fix::Out(reason)) => Some(reason.clone()),
            Some(Fix::Inline | Fix::Quoted) | None => None,
        }
    }

    fn leave_out(&mut self, path: &FieldPath, reason: String) -> Entry {
        let name: String = path.last().unwrap_or_default().chars().take(80).collect();
        let note = Entry::Note(format!("{name} is not declared: {reason}"));
        self.out.left_out.push(LeftOut { path: path.clone(), reason });
        note
    }
}

/// Names of what a service notes about its own work.
fn is_the_services_own(name: &str) -> bool {
    let small = name.to_lowercase();
    small.ends_with("_id") || small.ends_with("_at") || small.contains("workflow") || small.starts_with("temporal")
}

/// The longest text of a config that has any long one.
fn longest(config: &Value) -> Option<FieldPath> {
    let inner = |path: &FieldPath| path.within_config().and_then(|inner| inner.get(config)?.as_str().map(str::len));
    texts(config).into_iter().max_by_key(|path| (inner(path), std::cmp::Reverse(path.clone())))
}

/// Where a config has texts of some length.
fn texts(config: &Value) -> Vec<FieldPath> {
    fn find(path: &FieldPath, value: &Value, out: &mut Vec<FieldPath>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| find(&path.child(name), value, out)),
            Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| find(&path.index(at), item, out)),
            Value::String(text) if text.contains('\n') || text.len() > LENGTH => out.push(path.clone()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut out = Vec::new();
    find(&FieldPath::config(), config, &mut out);
    out
}
