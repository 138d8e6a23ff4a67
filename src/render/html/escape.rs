//! The only ways in which a text gets onto a page.

use maud::{Markup, PreEscaped, html};

use crate::render::style::Glyphs;
use crate::render::view::{Line, Look, Medium, Piece, Sign, Theirs, Tone, Word};
use crate::render::visible;

/// A page of HTML: whatever acts without being seen is shown, and nothing gets out of its element or attribute.
pub(super) struct Page;

impl Medium for Page {
    fn theirs(&self, of: &str, look: Look) -> String {
        match look {
            Look::Code | Look::Spot(_) | Look::Id => code(of),
            Look::Words => text(&visible::one_line(of)),
            Look::Sentence => sentence(of),
            Look::Prose => text(of),
        }
    }
}

/// What came from outside. A [`Theirs`] cannot be put on a page in any other way.
pub(super) fn theirs(of: &Theirs) -> Markup {
    PreEscaped(of.through(&Page))
}

/// Text for inside an element or an attribute in double quotes, as all of ours are: hidden characters shown, line feeds
/// as they are.
pub(in crate::render) fn text(of: &str) -> String {
    html! { (visible::lines(of)) }.into_string()
}

/// A text that stands for itself: a path, a value, a name. It is set apart from the direction of what is around it.
fn code(of: &str) -> String {
    format!("<code>{}</code>", text(&visible::one_line(of)))
}

/// A sentence in which backticks mark what stands for itself, where they come in pairs.
fn sentence(of: &str) -> String {
    let of = of.trim();
    let pieces: Vec<&str> = of.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return text(&visible::one_line(of));
    }
    let set = |(index, piece): (usize, &&str)| {
        if index.is_multiple_of(2) { text(&visible::one_line(piece)) } else { code(piece) }
    };
    pieces.iter().enumerate().map(set).collect()
}

/// A line, with an element around each stretch of one tone.
pub(super) fn line(of: &Line) -> Markup {
    let pieces = |words: &[Word]| html! { @for word in words { (piece(&word.piece)) } };
    html! {
        @for words in of.0.chunk_by(|a, b| a.tone == b.tone) {
            @match words.first().and_then(|word| class(word.tone)) {
                Some(class) => span class=(class) { (pieces(words)) },
                None => (pieces(words)),
            }
        }
    }
}

fn piece(of: &Piece) -> Markup {
    let Glyphs { arrow, dot, drift, .. } = Glyphs::UNICODE;
    match of {
        Piece::Ours(ours) => html! { (ours.as_str()) },
        Piece::Sign(Sign::Arrow) => html! { (arrow) },
        Piece::Sign(Sign::Dot) => html! { (dot) },
        Piece::Sign(Sign::Drift) => html! { (drift) },
        Piece::Theirs(of) => theirs(of),
    }
}

/// How loud a tone is here.
pub(super) fn class(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Strong => Some("strong"),
        Tone::Quiet => Some("quiet"),
        Tone::Added => Some("added"),
        Tone::Removed => Some("removed"),
        Tone::Changed => Some("changed"),
        Tone::Danger => Some("danger"),
    }
}

/// Words that only a screen reader says.
pub(super) fn spoken(of: &'static str) -> Markup {
    html! { span.spoken { (of) } }
}

/// A link to an address of the web; nothing for any other.
pub(super) fn link(title: &'static str, url: &str) -> Option<Markup> {
    let plain = url.chars().all(|c| c.is_ascii_graphic() && !"\"'<>`\\".contains(c));
    let web = url.starts_with("https://") || url.starts_with("http://");
    (plain && web).then(|| html! { a href=(url) rel="noopener noreferrer" { (title) } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_element_or_attribute() {
        assert_eq!(text("<a title=\"y\">&amp;"), "&lt;a title=&quot;y&quot;&gt;&amp;amp;");
        assert_eq!(theirs(&Theirs::words("a\u{202E}b\nc")).0, "a&lt;U+202E&gt;b⏎c");
        assert_eq!(theirs(&Theirs::prose("a\u{202E}b\nc")).0, "a&lt;U+202E&gt;b\nc");
        assert_eq!(theirs(&Theirs::sentence("use `<b>` now")).0, "use <code>&lt;b&gt;</code> now");
        assert_eq!(theirs(&Theirs::sentence("a ` b")).0, "a ` b");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        assert!(link("run", "https://x.test/a?b=c&d").unwrap().0.contains("href=\"https://x.test/a?b=c&amp;d\""));
        for url in ["javascript:alert(1)", "https://x.test/\"onclick=", "//x.test", "data:text/html,x", "https://x y"] {
            assert!(link("run", url).is_none(), "{url}");
        }
    }
}
