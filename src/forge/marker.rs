//! PURE. The hidden first line of what we post: by it a comment or an issue is found again, and its age is told.
//!
//! Anyone may write such a line, so it proves nothing. It counts only together with the author, and a hash in it is a
//! convenience: what binds an approval is the check run.

use sha2::{Digest as _, Sha256};

use crate::model::digest::hex;

use super::comment::State;
use super::context::Run;

/// The version of the line. A reader passes over words that it does not know.
const VERSION: &str = "1";

/// How many earlier runs a comment remembers.
pub const EARLIER_RUNS: usize = 5;

/// How many hexadecimal digits a key has: 64 bits, for a handful of environments in a repository.
const KEY_DIGITS: usize = 16;

/// The longest value that a line takes: a digest has 71 letters.
const LONGEST_VALUE: usize = 160;

/// The marker of a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// Whose comment it is.
    pub key: String,
    /// What it says.
    pub state: Option<State>,
    /// The head commit.
    pub sha: Option<String>,
    /// The plan's hash.
    pub plan_hash: Option<String>,
    /// The run's id.
    pub run: Option<u64>,
    /// The run's attempt.
    pub attempt: u64,
    /// The ids of earlier runs, the latest first.
    pub earlier: Vec<u64>,
}

impl Marker {
    /// A marker for a run's word.
    pub fn new(key: impl Into<String>, state: State, run: Option<&Run>) -> Self {
        Self {
            key: key.into(),
            state: Some(state),
            run: run.map(|run| run.id),
            attempt: run.map_or(1, |run| run.attempt),
            ..Self::default()
        }
    }

    /// The line, without a line feed.
    pub fn line(&self) -> String {
        let Self { key, state, sha, plan_hash, run, attempt, earlier } = self;
        let earlier: Vec<String> = earlier.iter().take(EARLIER_RUNS).map(u64::to_string).collect();
        write(
            "comment",
            &[
                ("key", key.clone()),
                ("state", state.map(State::as_str).unwrap_or_default().to_owned()),
                ("sha", sha.clone().unwrap_or_default()),
                ("hash", plan_hash.clone().unwrap_or_default()),
                ("run", run.map(|run| run.to_string()).unwrap_or_default()),
                ("attempt", attempt.to_string()),
                ("earlier", earlier.join(".")),
            ],
        )
    }

    /// Reads the marker of a comment's body; `None` where its first line is none.
    pub fn read(body: &str) -> Option<Self> {
        let words = read("comment", body)?;
        let number = |name: &str| words.get(name).and_then(|text| text.parse::<u64>().ok());
        Some(Self {
            key: words.get("key")?.to_owned(),
            state: words.get("state").and_then(State::parse),
            sha: words.get("sha").map(str::to_owned),
            plan_hash: words.get("hash").map(str::to_owned),
            run: number("run"),
            attempt: number("attempt").unwrap_or(1),
            earlier: words
                .get("earlier")
                .into_iter()
                .flat_map(|text| text.split('.'))
                .filter_map(|id| id.parse().ok())
                .collect(),
        })
    }
}

/// What a comment is kept for: what is known before anything has been read, so that a run that fails at once still finds
/// the comment of the run that did not.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The service's host.
    pub host: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The project's folder, from the root of the repository.
    pub folder: &'a str,
    /// Whatever else tells two comments apart.
    pub extra: Option<&'a str>,
    /// What the comment tells of.
    pub about: About,
}

/// What a comment tells of. What was made without the service never stands where a plan or an apply does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What the service has: plans, applies, drift.
    Service,
    /// The difference of files.
    Difference,
}

/// The key of a target's comment, or of its issue.
pub fn key(target: Target<'_>) -> String {
    let Target { host, environment, folder, extra, about } = target;
    let mut hash = Sha256::new();
    let about = match about {
        About::Service => None,
        About::Difference => Some("difference"),
    };
    for part in [host, environment, folder, extra.unwrap_or_default()].into_iter().chain(about) {
        // The length before each part, so that no two lists of parts run together to the same text.
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()).chars().take(KEY_DIGITS).collect()
}

/// The words of a marker, in order.
pub(super) struct Words(Vec<(String, String)>);

impl Words {
    /// The value of a word.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Writes a marker of any kind. Empty values are left out.
pub(super) fn write(kind: &str, words: &[(&str, String)]) -> String {
    let mut out = format!("<!-- reachform:{kind} v={VERSION}");
    for (name, value) in words {
        let value = tame(value);
        if !value.is_empty() {
            out.push(' ');
            out.push_str(name);
            out.push('=');
            out.push_str(&value);
        }
    }
    out.push_str(" -->");
    out
}

/// Reads a marker of a kind from the first line of a body.
pub(super) fn read(kind: &str, body: &str) -> Option<Words> {
    let line = first_line(body);
    let inside = line.strip_prefix("<!-- reachform:")?.strip_suffix("-->")?.trim();
    let mut words = inside.split_ascii_whitespace();
    if words.next()? != kind {
        return None;
    }
    Some(Words(words.filter_map(|word| word.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()))
}

/// The body without a marker of ours in its first line, whatever its kind.
pub fn without(body: &str) -> &str {
    let trimmed = body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if first_line(trimmed).starts_with("<!-- reachform:") {
        trimmed.split_once('\n').map_or("", |(_, rest)| rest)
    } else {
        body
    }
}

fn first_line(body: &str) -> &str {
    body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).lines().next().unwrap_or_default().trim_end()
}

/// A value with what could end the line, or the comment, taken out.
fn tame(value: &str) -> String {
    let kept: String = value
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-'))
        .take(LONGEST_VALUE)
        .collect();
    let mut kept = kept;
    while kept.contains("--") {
        kept = kept.replace("--", "-");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_survives_being_written_and_read() {
        let run = Run { id: 900, number: None, attempt: 3, url: None };
        let mut marker = Marker::new("5d0c1f9a77e2b613", State::PartlyApplied, Some(&run));
        marker.sha = Some("4f2c9ab".to_owned());
        marker.plan_hash = Some(format!("sha256:{}", "a".repeat(64)));
        marker.earlier = vec![880, 870];
        let body = format!("\r\n{}\r\n### Agents\r\n", marker.line());
        assert_eq!(Marker::read(&body), Some(marker));
        assert_eq!(without(&body), "### Agents\r\n");
        let plain = Marker { key: "k".to_owned(), attempt: 1, ..Marker::default() };
        assert_eq!(Marker::read(&plain.line()), Some(plain));
    }

    #[test]
    fn a_marker_counts_in_the_first_line_alone() {
        let line = Marker::new("k", State::Planned, None).line();
        assert!(Marker::read(&format!("Look:\n{line}")).is_none());
        assert!(Marker::read(&format!("> {line}")).is_none());
        assert!(Marker::read("<!-- reachform:issue v=1 key=k -->").is_none());
        assert!(Marker::read("<!-- reachform:comment v=1 -->").is_none());
        assert_eq!(without("text\nmore"), "text\nmore");
    }

    #[test]
    fn no_value_can_end_a_marker() {
        let marker = Marker { sha: Some("a-->b <c>\n--- d".to_owned()), ..Marker::new("k", State::Failed, None) };
        let line = marker.line();
        assert_eq!(line.matches("-->").count(), 1);
        assert_eq!(Marker::read(&line).unwrap().sha.as_deref(), Some("a-bc-d"));
    }

    #[test]
    fn a_later_version_of_the_line_is_read_as_far_as_it_is_known() {
        let marker = Marker::read("<!-- reachform:comment v=2 key=k news=1 state=unheard run=x -->").unwrap();
        assert_eq!((marker.key.as_str(), marker.state, marker.run), ("k", None, None));
    }

    #[test]
    fn every_part_of_a_target_is_in_its_key() {
        let target = Target { host: "h", environment: "prod", folder: "", extra: None, about: About::Service };
        let one = key(target);
        assert_eq!(one.len(), KEY_DIGITS);
        for other in [
            Target { host: "i", ..target },
            Target { environment: "demo", ..target },
            Target { folder: "agents", ..target },
            Target { extra: Some("two"), ..target },
            Target { about: About::Difference, ..target },
            Target { host: "hp", environment: "rod", ..target },
        ] {
            assert_ne!(key(other), one);
        }
    }
}
