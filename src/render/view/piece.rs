//! Pieces of a line: our words and theirs, each with its tone. What came from outside has no way out but [`Medium`].

use std::borrow::Cow;

use serde_json::Value;

use crate::model::Origin;
use crate::plan::mask::is_placeholder;
use crate::render::values::{grouped, in_quotes, plural};

/// How loud a piece is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As loud as the text around it.
    #[default]
    Plain,
    /// Names of agents, and totals.
    Strong,
    /// For orientation: places, counts, context.
    Quiet,
    /// What comes, and what is well.
    Added,
    /// A value that another one replaces.
    Removed,
    /// What changes, and warnings.
    Changed,
    /// What destroys, fails or reaches nobody.
    Danger,
}

/// A sign that some media cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// From one value to another.
    Arrow,
    /// Between the parts of a line.
    Dot,
    /// Changed on the service.
    Drift,
}

/// What a text from outside is, so that a medium can set it as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A value, a path, an id, a file: set as code.
    Code,
    /// Words, as a name.
    Words,
    /// A sentence of the program with words from outside in it; what stands in backticks is code.
    Sentence,
    /// A text of many lines.
    Prose,
    /// A line of a file, as `agents/a.yaml:7`: set as code, and linked where the medium knows where files are.
    Spot(usize),
    /// An id that the service gave: set as code, and cut where it is for orientation alone.
    Id,
}

/// A text that came from outside. It has no `Display` and no way to its bytes but [`Theirs::through`], so a writer that
/// forgets to escape it does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    text: String,
    look: Look,
}

/// The one place of a format that escapes what came from outside.
pub trait Medium {
    /// The text as it may stand in this format.
    fn theirs(&self, text: &str, look: Look) -> String;
}

impl Theirs {
    /// A value, a path, an id or a file.
    pub fn code(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Code }
    }

    /// A name or other words.
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Words }
    }

    /// A sentence that was made elsewhere, with code in backticks.
    pub fn sentence(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Sentence }
    }

    /// A text of many lines.
    pub fn prose(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Prose }
    }

    /// A place in a file.
    pub fn spot(origin: &Origin) -> Self {
        Self { text: format!("{}:{}", origin.file, origin.line), look: Look::Spot(origin.line) }
    }

    /// An id that the service gave.
    pub fn id(id: impl AsRef<str>) -> Self {
        Self { text: id.as_ref().to_owned(), look: Look::Id }
    }

    /// A value on one line, whole. The placeholder of a secret is words, for it is no value.
    pub fn value(value: &Value) -> Self {
        match value {
            Value::String(text) if is_placeholder(text) => Self::words(text.clone()),
            Value::String(text) => Self::code(in_quotes(text)),
            other => Self::code(other.to_string()),
        }
    }

    /// The text as a medium lets it through.
    pub fn through(&self, medium: &impl Medium) -> String {
        medium.theirs(&self.text, self.look)
    }

    /// The lines of a prose text, each on its own.
    pub fn lines(&self) -> impl Iterator<Item = Self> + '_ {
        self.text.lines().map(|line| Self { text: line.to_owned(), look: self.look })
    }

    /// The first lines of a prose text.
    #[must_use]
    pub fn first_lines(&self, count: usize) -> Self {
        let lines: Vec<&str> = self.text.lines().take(count).collect();
        Self { text: lines.join("\n"), look: self.look }
    }

    /// How many characters it has.
    pub fn len(&self) -> usize {
        self.text.chars().count()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words of this program. Made from literals and numbers alone.
    Ours(Ours),
    /// A sign.
    Sign(Sign),
    /// What came from outside.
    Theirs(Theirs),
}

/// Words of this program: made from literals and numbers, so that nothing from outside can be taken for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours(Cow<'static, str>);

impl Ours {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A count with its noun, as a piece.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub usize, pub &'static str, pub &'static str);

impl From<&'static str> for Piece {
    fn from(text: &'static str) -> Self {
        Self::Ours(Ours(Cow::Borrowed(text)))
    }
}

impl From<u64> for Piece {
    fn from(number: u64) -> Self {
        Self::Ours(Ours(Cow::Owned(number.to_string())))
    }
}

impl From<usize> for Piece {
    fn from(number: usize) -> Self {
        Self::Ours(Ours(Cow::Owned(grouped(number))))
    }
}

impl From<Count> for Piece {
    fn from(Count(count, one, many): Count) -> Self {
        Self::Ours(Ours(Cow::Owned(plural(count, one, many))))
    }
}

impl From<Sign> for Piece {
    fn from(sign: Sign) -> Self {
        Self::Sign(sign)
    }
}

impl From<Theirs> for Piece {
    fn from(theirs: Theirs) -> Self {
        Self::Theirs(theirs)
    }
}

/// A piece with its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// How loud.
    pub tone: Tone,
    /// What.
    pub piece: Piece,
    /// Whether no line ends within it, as in the name of an item.
    pub glued: bool,
}

/// Pieces that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Word>);

impl Line {
    /// A line of one piece.
    pub fn of(tone: Tone, piece: impl Into<Piece>) -> Self {
        Self::default().with(tone, piece)
    }

    /// The line with a piece behind it.
    #[must_use]
    pub fn with(mut self, tone: Tone, piece: impl Into<Piece>) -> Self {
        self.0.push(Word { tone, piece: piece.into(), glued: false });
        self
    }

    /// The line with another one behind it.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The line with no break inside any of its pieces.
    #[must_use]
    pub fn glued(mut self) -> Self {
        self.0.iter_mut().for_each(|word| word.glued = true);
        self
    }

    /// Lines with a piece between each two.
    pub fn joined(lines: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut out = Self::default();
        for (index, line) in lines.into_iter().enumerate() {
            if index > 0 {
                out = out.with(Tone::Plain, between);
            }
            out = out.and(line);
        }
        out
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line of pieces in one tone: `line![Tone::Quiet; "was agent.", Theirs::code(key), " until now"]`.
macro_rules! line {
    ($tone:expr; $($piece:expr),* $(,)?) => {
        $crate::render::view::piece::Line::default()$(.with($tone, $piece))*
    };
}
pub(crate) use line;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Loud;

    impl Medium for Loud {
        fn theirs(&self, text: &str, look: Look) -> String {
            format!("{look:?}:{}", text.to_uppercase())
        }
    }

    #[test]
    fn the_placeholder_of_a_secret_is_words_and_a_text_is_a_value() {
        assert_eq!(Theirs::value(&json!("(secret 2)")).through(&Loud), "Words:(SECRET 2)");
        assert_eq!(Theirs::value(&json!("text of x")).through(&Loud), "Code:\"TEXT OF X\"");
        assert_eq!(Theirs::value(&json!([1])).through(&Loud), "Code:[1]");
    }
}
