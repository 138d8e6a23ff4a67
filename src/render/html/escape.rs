//! The only ways in which a text gets into a page.

use crate::render::visible;

pub(super) use crate::render::put::put;

/// Text for inside an element or an attribute in double quotes, as all of ours are: hidden characters shown, line feeds as they are.
pub(in crate::render) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in visible::lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The same on one line.
pub(super) fn line(of: &str) -> String {
    text(&visible::one_line(of))
}

/// A text that stands for itself: a path, a value, a name. It is set apart from the direction of what is around it.
pub(super) fn code(of: &str) -> String {
    format!("<code>{}</code>", line(of))
}

/// A sentence of ours, in which backticks mark what stands for itself, where they come in pairs.
pub(super) fn sentence(of: &str) -> String {
    let of = visible::one_line(of.trim());
    let pieces: Vec<&str> = of.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return text(&of);
    }
    let mut out = String::with_capacity(of.len() + 32);
    for (index, piece) in pieces.iter().enumerate() {
        out.push_str(&if index % 2 == 1 { code(piece) } else { text(piece) });
    }
    out
}

/// Words that only a screen reader says.
pub(super) fn spoken(of: &str) -> String {
    format!("<span class=\"spoken\">{}</span>", text(of))
}

/// A link to an address of the web; nothing for any other.
pub(super) fn link(title: &str, url: &str) -> Option<String> {
    let plain = url.chars().all(|c| c.is_ascii_graphic() && !"\"'<>`\\".contains(c));
    let web = url.starts_with("https://") || url.starts_with("http://");
    (plain && web).then(|| format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", text(url), text(title)))
}

/// A name for links within the page. Keys are made of letters, digits and hyphens, so each has its own.
pub(super) fn anchor(kind: &str, key: &str) -> String {
    let key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("{kind}-{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_element_or_attribute() {
        assert_eq!(text("<a title=\"y\">&amp;"), "&lt;a title=&quot;y&quot;&gt;&amp;amp;");
        assert_eq!(line("a\u{202E}b\nc"), "a&lt;U+202E&gt;b⏎c");
        assert_eq!(sentence("use `<b>` now"), "use <code>&lt;b&gt;</code> now");
        assert_eq!(sentence("a ` b"), "a ` b");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        assert!(link("run", "https://x.test/a?b=c&d").unwrap().contains("href=\"https://x.test/a?b=c&amp;d\""));
        for url in ["javascript:alert(1)", "https://x.test/\"onclick=", "//x.test", "data:text/html,x", "https://x y"] {
            assert_eq!(link("run", url), None, "{url}");
        }
    }
}
