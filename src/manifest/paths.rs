//! `ignore` and `release`: the two fields that name places in the agent.

use serde_json::Value;

use super::codes;
use super::session::Session;
use super::suggest::nearest;
use super::tree::{Kind, Node};
use super::yaml::shorten;
use crate::diagnostics::Diagnostic;
use crate::model::stamp::STAMP_KEY;
use crate::model::{FieldPath, Ignore, PathPattern};

/// Where a path may begin: what is compared with the service.
const ROOTS: [&str; 9] = [
    "config",
    "metadata",
    "name",
    "description",
    "active",
    "phone_numbers",
    "web_widgets",
    "email_addresses",
    "sip_endpoint",
];

/// Lists outside `config` and `metadata`.
const LISTS: [&[&str]; 4] =
    [&["phone_numbers", "inbound"], &["phone_numbers", "outbound"], &["web_widgets"], &["email_addresses"]];

impl Session<'_> {
    /// Reads `ignore`.
    pub fn ignore(&mut self, node: &Node, declared: &Value) -> Vec<Ignore> {
        let mut out = Vec::new();
        for item in self.list(node, "`ignore`").unwrap_or_default() {
            let Kind::Map(entries) = &item.kind else {
                self.wrong_type(item, "an entry of `ignore`", "a map with `path`");
                continue;
            };
            let (mut path, mut has_path, mut reason, mut until) = (None, false, None, None);
            for entry in entries {
                match entry.key.as_str() {
                    "path" => {
                        has_path = true;
                        path = self.path(&entry.value, declared, "`path`");
                    }
                    "reason" => reason = self.text(&entry.value, "`reason`").map(str::to_owned),
                    "until" => until = self.date(&entry.value),
                    key => {
                        self.unknown_field(key, &entry.key_span, &["path", "reason", "until"], "an entry of `ignore`");
                    }
                }
            }
            if !has_path {
                let problem = Diagnostic::error(codes::MISSING_FIELD, "an entry of `ignore` without `path`");
                self.report(
                    problem
                        .span(item.span.clone())
                        .hint("add `path:` with a JSON pointer, such as `/config/agent/stack/tts`"),
                );
            }
            out.extend(path.map(|path| Ignore { path, reason, until }));
        }
        out
    }

    /// Reads `release`.
    pub fn release(&mut self, node: &Node, declared: &Value) -> Vec<FieldPath> {
        let mut out = Vec::new();
        for item in self.list(node, "`release`").unwrap_or_default() {
            let Some(pattern) = self.path(item, declared, "an entry of `release`") else { continue };
            let path = pattern.as_path().clone();
            if path.get(declared).is_some() {
                let message = format!("`{path}` is both released and declared");
                let problem = Diagnostic::warning(codes::RELEASE_DECLARED, message).span(item.span.clone());
                self.report(problem.hint("a released path must no longer be in the manifest"));
            }
            out.push(path);
        }
        out
    }

    fn date(&mut self, node: &Node) -> Option<jiff::civil::Date> {
        let text = self.text(node, "`until`")?;
        // jiff also reads a date at the head of a timestamp, which would silently drop the rest.
        let date = (text.len() == "2026-12-31".len()).then(|| text.parse().ok()).flatten();
        if date.is_none() {
            let problem = Diagnostic::error(codes::BAD_DATE, format!("`{}` is not a valid date", shorten(text)));
            self.report(
                problem
                    .span(node.span.clone())
                    .hint("write the last day on which the entry applies, such as `2026-12-31`"),
            );
        }
        date
    }

    fn path(&mut self, node: &Node, declared: &Value, what: &str) -> Option<PathPattern> {
        let text = self.filled_text(node, what)?;
        let Some(pattern) = PathPattern::parse(text) else {
            let problem = Diagnostic::error(codes::BAD_PATH, format!("`{}` is not a JSON pointer", shorten(text)))
                .span(node.span.clone())
                .hint("a pointer begins with `/`; in a name, `~1` is a slash and `~0` a tilde");
            let slashed = format!("/{}", text.trim_start_matches(['$', '.']).replace('.', "/"));
            let is_dotted = !text.starts_with('/') && !text.contains('~') && PathPattern::parse(&slashed).is_some();
            self.report(if is_dotted {
                problem.fix(node.span.clone(), slashed.as_str(), format!("write `{slashed}`"))
            } else {
                problem
            });
            return None;
        };
        let steps: Vec<&str> = pattern.as_path().steps().iter().map(String::as_str).collect();
        let first = steps.first().copied().unwrap_or_default();
        if !ROOTS.contains(&first) {
            let problem = Diagnostic::error(
                codes::UNKNOWN_PATH,
                format!("`{}` does not begin with a managed field", shorten(text)),
            )
            .span(node.span.clone());
            let in_config = declared.get("config").is_some_and(|config| config.get(first).is_some());
            let near = if in_config {
                Some(format!("/config{text}"))
            } else {
                nearest(first, ROOTS).map(|near| text.replacen(first, near, 1))
            };
            self.report(match near {
                Some(near) => problem.fix(node.span.clone(), near.as_str(), format!("did you mean `{near}`?")),
                None => {
                    problem.hint("paths start at the root of the manifest: `/config/…`, `/metadata/…`, `/description`")
                }
            });
            return None;
        }
        if first == "metadata" && steps.get(1) == Some(&STAMP_KEY) {
            let message = format!("`/metadata/{STAMP_KEY}` is reserved for reachform");
            self.report(Diagnostic::error(codes::RESERVED_METADATA, message).span(node.span.clone()));
            return None;
        }
        if let Some(list) = list_on_the_way(&steps, declared) {
            let problem = Diagnostic::error(codes::PATH_INSIDE_LIST, format!("`{text}` leads into the list `{list}`"));
            self.report(
                problem.span(node.span.clone()).hint("a list is compared and written as a whole: name the list itself"),
            );
            return None;
        }
        Some(pattern)
    }
}

/// The first list that a pattern leads into.
fn list_on_the_way(steps: &[&str], declared: &Value) -> Option<FieldPath> {
    let is_known = |list: &&&[&str]| {
        steps.len() > list.len() && list.iter().zip(steps).all(|(want, have)| want == have || *have == "*")
    };
    if let Some(list) = LISTS.iter().find(is_known) {
        return Some(FieldPath::of(list.iter().copied()));
    }
    let mut reached: Vec<(FieldPath, &Value)> = vec![(FieldPath::root(), declared)];
    for step in steps {
        let mut next = Vec::new();
        for (path, value) in reached {
            match value {
                Value::Array(_) => return Some(path),
                Value::Object(map) if *step == "*" => {
                    next.extend(map.iter().map(|(key, value)| (path.child(key), value)));
                }
                Value::Object(map) => next.extend(map.get(*step).map(|value| (path.child(*step), value))),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        reached = next;
    }
    None
}
