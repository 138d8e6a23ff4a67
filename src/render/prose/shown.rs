//! Pieces of a difference in the words and glyphs that every format shares.

use super::{Hunk, Moved, Part, PartKind, ProseDiff};
use crate::render::style::Glyphs;
use crate::render::values::{grouped, plural};
use crate::render::visible;

/// Changes of blanks are listed up to this many.
const BLANKS_SHOWN: usize = 5;

impl ProseDiff {
    /// The changes that nobody sees, as lines: what is hidden always, blanks where they are all that changes or everything
    /// is asked for. Beside hunks the count in the headline says enough of them.
    pub fn unseen(&self, glyphs: Glyphs, all: bool) -> Vec<String> {
        let (hidden, blanks): (Vec<_>, Vec<_>) = self.invisible.iter().partition(|edit| edit.hides_text());
        let blanks = if self.hunks.is_empty() || all { blanks } else { Vec::new() };
        let more = blanks.len().saturating_sub(BLANKS_SHOWN);
        let more = (more > 0).then(|| format!("{} {} more", glyphs.ellipsis, grouped(more)));
        let shown = hidden.into_iter().chain(blanks.into_iter().take(BLANKS_SHOWN));
        shown.map(|edit| edit.describe(glyphs.arrow)).chain(more).collect()
    }
}

impl Moved {
    /// `moved from line 2 to 23 (§ Close): 12 words ("If the caller …")`.
    pub fn describe(&self, glyphs: Glyphs) -> String {
        let section = self.section.as_deref().map(|title| format!(" ({} {title})", glyphs.section)).unwrap_or_default();
        let line = format!(
            "moved from line {} to {}{section}: {} (\"{} {}\")",
            grouped(self.from_line),
            grouped(self.to_line),
            plural(self.words, "word", "words"),
            visible::one_line(&self.opening),
            glyphs.ellipsis
        );
        visible::one_line(&line)
    }
}

impl Hunk {
    /// Where it is and how much it changes: `line 12 · § Booking flow · −3 +1 words`.
    pub fn describe(&self, glyphs: Glyphs) -> String {
        let Glyphs { dot, section, minus, .. } = glyphs;
        let title = self.section.as_deref().map(|title| format!(" {dot} {section} {title}")).unwrap_or_default();
        let (line, removed, added) = (grouped(self.line), grouped(self.removed), grouped(self.added));
        visible::one_line(&format!("line {line}{title} {dot} {minus}{removed} +{added} words"))
    }
}

impl Part {
    /// The text as it is shown, with its line feeds. Blanks that alone change are glyphs; so are line feeds that go, for
    /// what stands behind them goes on in the same line. `feed` is what stands for one of those, or for all of a run.
    pub fn shown(&self, first: bool, last: bool, feed: &dyn Fn(usize) -> String) -> String {
        let changed = matches!(self.kind, PartKind::Remove | PartKind::Add);
        if changed && self.text.trim().is_empty() {
            return visible::blanks(&self.text);
        }
        let mut text = self.text.as_str();
        if first {
            text = text.trim_start_matches(['\n', '\r']);
        }
        if last {
            text = text.trim_end_matches(['\n', '\r', ' ']);
        }
        let text = text.replace('\t', "  ");
        if self.kind != PartKind::Remove {
            return text;
        }
        let inner = text.trim_matches('\n');
        let leading = text.len() - text.trim_start_matches('\n').len();
        let trailing = text.len() - text.trim_end_matches('\n').len();
        let feeds = |count: usize| if count == 0 { String::new() } else { feed(count) };
        format!("{}{inner}{}", feeds(leading), feeds(trailing))
    }
}
