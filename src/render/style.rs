//! How things look: colours, and the glyphs that stand in for them. Plain unless asked.

use anstyle::{AnsiColor, Style};

/// The styles of every kind of text that a renderer writes. The default writes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Styles {
    /// Names of agents and totals.
    pub strong: Style,
    /// What is there for orientation: context, places, counts.
    pub dim: Style,
    /// What comes.
    pub added: Style,
    /// What goes.
    pub removed: Style,
    /// What changes, and warnings.
    pub changed: Style,
    /// What destroys or failed.
    pub danger: Style,
    /// The headers of hunks.
    pub hunk: Style,
}

impl Styles {
    /// No style at all: changed words carry the marks `[-…-]` and `{+…+}`, as in git's plain word diff.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Turns colours on. Removed and added words keep their marks, for a colour is not seen by everybody.
    pub fn colorize(&mut self) {
        let colour = |colour: AnsiColor| colour.on_default();
        *self = Self {
            strong: Style::new().bold(),
            dim: Style::new().dimmed(),
            added: colour(AnsiColor::Green).bold(),
            removed: colour(AnsiColor::Red).strikethrough(),
            changed: colour(AnsiColor::Yellow),
            danger: colour(AnsiColor::Red).bold(),
            hunk: colour(AnsiColor::Cyan),
        };
    }

    /// The styles with colours on.
    pub fn colored() -> Self {
        let mut styles = Self::default();
        styles.colorize();
        styles
    }
}

/// The signs between texts, with plain letters for a terminal that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// From one value to another.
    pub arrow: &'static str,
    /// Something is left out within a line.
    pub ellipsis: &'static str,
    /// Something is left out between lines.
    pub gap: &'static str,
    /// Before a number that is less.
    pub minus: &'static str,
    /// Between the parts of a line.
    pub dot: &'static str,
    /// Before the name of a section.
    pub section: &'static str,
    /// Changed on the service.
    pub drift: &'static str,
}

impl Glyphs {
    /// For UTF-8.
    pub const UNICODE: Self =
        Self { arrow: "→", ellipsis: "…", gap: "⋯", minus: "−", dot: "·", section: "§", drift: "»" };

    /// For anything else.
    pub const ASCII: Self =
        Self { arrow: "->", ellipsis: "...", gap: "...", minus: "-", dot: "|", section: "in", drift: ">" };
}

impl Default for Glyphs {
    fn default() -> Self {
        Self::UNICODE
    }
}

/// How much of each change is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// One line for each value.
    Summary,
    /// Changed words with some words around them; very long stretches are shortened.
    #[default]
    Words,
    /// Everything.
    Full,
}
