//! A line of an account in Markdown or, where Markdown is not read, in HTML.

use super::escape::{code, html, html_code, html_sentence, link, sentence, words};
use crate::render::view::{Line, Look, Medium, Piece, Sign, Tone};
use crate::render::visible;

/// A comment. All that came from outside goes through here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'c> {
    /// Whether it stands where Markdown is not read.
    pub(super) in_html: bool,
    /// The address of the project's folder at the commit, where it is known.
    pub(super) files: Option<&'c str>,
}

/// Characters of an id that tell it from others.
const SHORT_ID: usize = 8;

impl Medium for Comment<'_> {
    fn theirs(&self, text: &str, look: Look) -> String {
        let code = if self.in_html { html_code } else { code };
        match look {
            Look::Words => words(text),
            Look::Sentence if self.in_html => html_sentence(text),
            Look::Sentence => sentence(text),
            Look::Prose => visible::lines(text),
            Look::Id if text.len() == 36 && text.is_ascii() => {
                code(&format!("{}…", text.get(..SHORT_ID).unwrap_or_default()))
            }
            Look::Code | Look::Id => code(text),
            // A link within the line that folds a block would be hit by a finger that means to open it.
            Look::Spot(line) => self
                .files
                .filter(|_| !self.in_html)
                .zip(text.rsplit_once(':'))
                .and_then(|(files, (file, _))| link(&code(text), &format!("{files}/{file}#L{line}")))
                .unwrap_or_else(|| code(text)),
        }
    }
}

/// The line. What is loud is bold.
pub(super) fn line(line: &Line, medium: &Comment<'_>) -> String {
    let mut out = String::new();
    let mut is_loud = false;
    for word in &line.0 {
        let loud = matches!(word.tone, Tone::Strong | Tone::Danger);
        if loud != is_loud {
            out.push_str(if loud { "<b>" } else { "</b>" });
            is_loud = loud;
        }
        match &word.piece {
            Piece::Ours(ours) => out.push_str(&html(ours.as_str())),
            Piece::Sign(Sign::Arrow) => out.push('→'),
            Piece::Sign(Sign::Dot) => out.push('·'),
            Piece::Sign(Sign::Drift) => out.push('»'),
            Piece::Theirs(theirs) => out.push_str(&theirs.through(medium)),
        }
    }
    if is_loud {
        out.push_str("</b>");
    }
    out
}
