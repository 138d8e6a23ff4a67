//! `!var`, `!secret`, `!format` and `!agent`: the tags before a scalar. They are resolved last, so that one which a patch
//! replaced never is.

use super::codes;
use super::session::{Session, list_of, sandbox_secret};
use super::suggest::nearest;
use super::tree::{Kind, Node, Weight};
use crate::diagnostics::{Diagnostic, Span};
use crate::model::secret::SecretPart;
use crate::model::{FieldPath, SecretText};

/// Shorter secrets are guessed, and masking them in a log would blacken common words (design, section 10).
const SHORTEST_SECRET: usize = 12;

/// Where a value stands, as a chain of steps, so that a path is built only where one is needed.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    above: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    pub fn field(name: &'p str) -> Self {
        Self { above: None, step: Step::Key(name) }
    }

    fn path(&self) -> FieldPath {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(here) = at {
            steps.push(match here.step {
                Step::Key(key) => key.to_owned(),
                Step::Index(index) => index.to_string(),
            });
            at = here.above;
        }
        steps.reverse();
        FieldPath::of(steps)
    }
}

/// Whether secrets may stand in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Allowed,
    Refused,
}

/// What the tags of a value came to beside the values that took their places.
#[derive(Default)]
pub(super) struct Settled {
    /// Texts that hold a secret.
    pub secrets: Vec<(FieldPath, SecretText)>,
    /// Every tag as it was written: name and argument.
    pub tags: Vec<(FieldPath, String, String)>,
}

impl Session<'_> {
    /// Resolves the scalar tags of a tree. A secret becomes its name; its text is put aside.
    pub fn settle(&mut self, node: &mut Node, at: At<'_>, secrets: Secrets, out: &mut Settled) {
        if self.stopped {
            return;
        }
        if let Some(tag) = node.tag.take() {
            let span = node.span.clone();
            let Kind::Text(argument) = std::mem::replace(&mut node.kind, Kind::Hole) else {
                let message = format!("`!{}` takes a single value", tag.name);
                self.report(Diagnostic::error(codes::BAD_TAG_USE, message).span(tag.span));
                return;
            };
            match tag.name.as_str() {
                "var" => {
                    if let Some(mut value) = self.variable(argument.trim(), &span)
                        && self.charge(value.weight(), &span)
                    {
                        value.place_at(&span);
                        *node = value;
                    }
                }
                "secret" => {
                    if let Some(part) = self.secret(argument.trim(), &span, secrets) {
                        let text = SecretText(vec![part]);
                        node.kind = Kind::Text(text.named());
                        out.secrets.push((at.path(), text));
                    }
                }
                "format" => {
                    if let Some(text) = self.format(&argument, &span, secrets) {
                        node.kind = Kind::Text(text.named());
                        if text.names().next().is_some() {
                            out.secrets.push((at.path(), text));
                        } else if let Some(text) = text.reveal() {
                            node.kind = Kind::Text(text);
                        }
                    }
                }
                _ => self.report(
                    Diagnostic::error(codes::AGENT_REFERENCE_UNSUPPORTED, "`!agent` is not available in this version")
                        .span(span.clone())
                        .hint("write the agent's id, or `!var` with an id for each environment"),
                ),
            }
            let path = at.path();
            let bytes = path.steps().iter().map(String::len).sum::<usize>() + argument.len();
            if self.charge(Weight { nodes: 1, bytes }, &span) {
                out.tags.push((path, tag.name, argument));
            }
            return;
        }
        match &mut node.kind {
            // Elsewhere a number is an error of its own.
            Kind::Number(_) if secrets == Secrets::Allowed => self.check_spelling(node),
            Kind::Text(text) if secrets == Secrets::Allowed => {
                let text = std::mem::take(text);
                self.check_text(&text, &node.span);
                node.kind = Kind::Text(text);
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Hole => {}
            Kind::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.settle(item, At { above: Some(&at), step: Step::Index(index) }, secrets, out);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    self.settle(&mut entry.value, At { above: Some(&at), step: Step::Key(&entry.key) }, secrets, out);
                }
            }
        }
    }

    fn variable(&mut self, name: &str, span: &Span) -> Option<Node> {
        // Without variables the project file is at fault, and that has been said.
        let variables = self.variables.as_ref()?;
        if let Some(value) = variables.get(name) {
            return Some(value.clone());
        }
        let environment = &self.environment;
        let message = format!("the environment `{environment}` has no variable `{name}`");
        let hint = match nearest(name, variables.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if variables.is_empty() => {
                format!("add it to `reachform.yaml` under `environments.{environment}.variables`")
            }
            None => format!("it has {}", list_of(&variables.keys().collect::<Vec<_>>())),
        };
        self.report(Diagnostic::error(codes::UNKNOWN_VARIABLE, message).span(span.clone()).hint(hint));
        None
    }

    fn secret(&mut self, name: &str, span: &Span, secrets: Secrets) -> Option<SecretPart> {
        let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        if !starts_well || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
            // What stands here may be the secret itself, so neither the message nor an excerpt repeats it.
            let line = crate::model::Origin {
                file: self.sources.name(span.file).to_owned(),
                line: self.sources.position(span.file, span.start).line,
            };
            let problem = Diagnostic::error(
                codes::BAD_SECRET_NAME,
                "the name of a secret consists of capitals, digits and underscores",
            )
            .at(crate::diagnostics::Place::Line(line))
            .hint("`!secret S3_KEY` reads the environment variable `REACHFORM_SECRET_S3_KEY`")
            .hint("if this is the secret itself, remove it from the file and replace the secret wherever it is used");
            self.report(problem);
            return None;
        }
        if secrets == Secrets::Refused {
            let message = format!("the secret `{name}` is used outside `config` and `metadata`");
            let problem = Diagnostic::error(codes::SECRET_NOT_ALLOWED, message).span(span.clone());
            self.report(problem.hint("other fields are shown in plans and comments"));
            return None;
        }
        // CI systems give an empty text for a secret that is not set.
        let value = (self.secrets)(name).filter(|value| !value.is_empty());
        let is_short = |value: &String| value.chars().count() < SHORTEST_SECRET;
        // What the sandbox gives is no secret, whatever its length.
        if value.as_ref().is_some_and(is_short)
            && value != sandbox_secret(name)
            && self.short_secrets.insert(name.to_owned())
        {
            let message = format!("the secret `{name}` is shorter than {SHORTEST_SECRET} characters");
            self.report(Diagnostic::warning(codes::SHORT_SECRET, message).span(span.clone()));
        }
        let is_padded = |value: &String| value.trim().len() != value.len();
        if value.as_ref().is_some_and(is_padded) && self.padded_secrets.insert(name.to_owned()) {
            let message =
                format!("the secret `{name}` begins or ends with a space or a line break, which is sent as well");
            let problem = Diagnostic::warning(codes::SECRET_LINE_END, message).span(span.clone());
            self.report(problem.hint("`printf %s` writes it without a line break, `echo` adds one"));
        }
        let bytes = name.len() + value.as_ref().map_or(0, String::len);
        if !self.charge(Weight { nodes: 0, bytes }, span) {
            return None;
        }
        Some(SecretPart::Secret { name: name.to_owned(), value: value.map(Into::into) })
    }

    fn format(&mut self, text: &str, span: &Span, secrets: Secrets) -> Option<SecretText> {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(message) => {
                let problem = Diagnostic::error(codes::BAD_FORMAT, message).span(span.clone());
                self.report(problem.hint("`{name}` is a variable, `{secret:NAME}` a secret, `{{` and `}}` are braces"));
                return None;
            }
        };
        let mut parts: Vec<SecretPart> = Vec::new();
        let mut whole = true;
        for piece in pieces {
            let plain = match piece {
                Piece::Text(text) => Some(text),
                Piece::Variable(name) => match self.variable(&name, span).map(|node| node.kind) {
                    Some(Kind::Text(text)) => Some(text),
                    Some(Kind::Number(number)) => Some(number.to_string()),
                    Some(Kind::Bool(value)) => Some(value.to_string()),
                    Some(Kind::Hole) | None => None,
                    Some(Kind::Null | Kind::List(_) | Kind::Map(_)) => {
                        let message = format!("the variable `{name}` is not text, a number or a boolean");
                        self.report(Diagnostic::error(codes::BAD_FORMAT, message).span(span.clone()));
                        None
                    }
                },
                Piece::Secret(name) => {
                    match self.secret(&name, span, secrets) {
                        Some(part) => parts.push(part),
                        None => whole = false,
                    }
                    continue;
                }
            };
            match (plain, parts.last_mut()) {
                (None, _) => whole = false,
                (Some(text), _) if !self.charge(Weight { nodes: 0, bytes: text.len() }, span) => return None,
                (Some(text), Some(SecretPart::Text(before))) => before.push_str(&text),
                (Some(text), _) => parts.push(SecretPart::Text(text)),
            }
        }
        whole.then_some(SecretText(parts))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
    Secret(String),
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
            '}' => return Err("a `}` without a matching `{` in `!format`".to_owned()),
            '{' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some('{') | None => return Err("a `{` without a matching `}` in `!format`".to_owned()),
                        Some(c) => name.push(c),
                    }
                }
                if !plain.is_empty() {
                    out.push(Piece::Text(std::mem::take(&mut plain)));
                }
                out.push(match name.split_once(':') {
                    Some(("secret", secret)) => Piece::Secret(secret.to_owned()),
                    Some((kind, _)) => return Err(format!("`!format` does not know `{{{kind}:…}}`")),
                    None if name.is_empty() => return Err("`{}` names nothing in `!format`".to_owned()),
                    None => Piece::Variable(name),
                });
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() || out.is_empty() {
        out.push(Piece::Text(plain));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_braces_are_braces_and_single_ones_are_names() {
        assert_eq!(
            pieces("Bearer {secret:KEY} for {{ {name} }}"),
            Ok(vec![
                Piece::Text("Bearer ".into()),
                Piece::Secret("KEY".into()),
                Piece::Text(" for { ".into()),
                Piece::Variable("name".into()),
                Piece::Text(" }".into()),
            ])
        );
        assert_eq!(pieces(""), Ok(vec![Piece::Text(String::new())]));
        for bad in ["{", "}", "{a", "{a{b}}", "{}", "{env:X}"] {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }
}
