//! Reads a comment as a forge would: is its structure ours alone?

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The fences that we write.
const LANGUAGES: [&str; 3] = ["diff", "sh", "text"];
/// What stands for a fence among the elements.
const FENCE: &str = "```";

/// The elements that we write. GitHub lets all of them through.
const ELEMENTS: [&str; 9] = ["details", "summary", "code", "pre", "del", "ins", "b", "i", "sub"];

/// Panics where the comment holds an element that we do not write, where elements do not close, where a heading, image or
/// foreign link stands in it, or where a text outside of code would mention or refer to something.
pub(crate) fn check(text: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut comments = 0;
    let mut headings = 0;
    let mut columns: Option<usize> = None;
    let mut cells = 0;
    // Entities are events of their own to this parser, and one text to a forge.
    let mut words = String::new();
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM | Options::ENABLE_FOOTNOTES;
    for event in Parser::new_ext(text, options) {
        if let Event::Text(more) = &event {
            words.push_str(more);
            continue;
        }
        let fenced = open.last().is_some_and(|name| name == FENCE);
        let quoted = fenced || open.iter().any(|name| name == "code" || name == "pre");
        assert!(fenced || !links(&words), "an address: {words}");
        assert!(quoted || !refers(&words), "a mention or reference outside of code: {words}");
        words.clear();
        match event {
            Event::Html(html) | Event::InlineHtml(html) => comments += read_html(&html, &mut open),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if LANGUAGES.contains(&&*language) => {
                open.push(FENCE.to_owned());
            }
            Event::End(TagEnd::CodeBlock) => assert_eq!(open.pop().as_deref(), Some(FENCE)),
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://github.com/acme/"), "a foreign link: {dest_url}");
            }
            Event::Start(Tag::Table(alignments)) => columns = Some(alignments.len()),
            Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow | TagEnd::TableHead) => assert_eq!(Some(cells), columns),
            Event::FootnoteReference(_) | Event::Start(Tag::FootnoteDefinition(_)) => panic!("a footnote: {event:?}"),
            Event::Start(Tag::Image { .. } | Tag::CodeBlock(_)) | Event::Rule => panic!("not ours: {event:?}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert_eq!((comments, headings), (1, 1), "one marker and one heading");
}

/// Follows the tags of a piece of HTML; returns how many comments it holds.
fn read_html(html: &str, open: &mut Vec<String>) -> usize {
    let mut rest = html;
    let mut comments = 0;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(inside) = rest.strip_prefix("!--") {
            let end = inside.find("-->").expect("a comment that ends");
            assert!(inside[..end].trim().starts_with("reachform:"));
            comments += 1;
            rest = &inside[end + 3..];
            continue;
        }
        let end = rest.find('>').expect("a tag that ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if tag == "br" || tag == "wbr" {
            continue;
        }
        let name = tag.trim_start_matches('/').trim_end_matches(" open");
        assert!(ELEMENTS.contains(&name), "not ours: <{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of turn: <{tag}>");
        } else {
            open.push(name.to_owned());
        }
    }
    comments
}

/// Whether Markdown itself would make a link of it, as it does inside of `<code>` too.
fn links(text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    small.contains("://")
        || small.contains("www.")
        || small.match_indices('@').any(|(at, _)| {
            let before = small[..at].chars().next_back();
            let after = small[at + 1..].chars().next();
            before.is_some_and(|c| c.is_ascii_alphanumeric()) && after.is_some_and(|c| c.is_ascii_alphanumeric())
        })
}

/// Whether GitHub or GitLab would make a mention or a reference of it.
fn refers(text: &str) -> bool {
    let follows = |mark: &str, good: fn(char) -> bool| {
        text.match_indices(mark).any(|(at, _)| text[at + mark.len()..].chars().next().is_some_and(good))
    };
    let digit = |c: char| c.is_ascii_digit();
    let name = |c: char| c.is_ascii_alphanumeric() || c == '"';
    ["@", "~", "%", "^"].iter().any(|mark| follows(mark, name))
        || ["#", "!", "$", "&", "GH-", "gh-"].iter().any(|mark| follows(mark, digit))
        || follows("[", |c| c.is_ascii_lowercase())
        || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(is_commit)
}

fn is_commit(word: &str) -> bool {
    let hex = word.chars().all(|c| c.is_ascii_hexdigit());
    hex && (7..=40).contains(&word.len()) && (word.len() == 40 || word.contains(|c: char| c.is_ascii_alphabetic()))
}

#[test]
fn the_reader_sees_what_is_not_ours() {
    let bad = [
        "<script>x</script>",
        "# two",
        "<pre>",
        "hello @org",
        "see #12",
        "see GH-12",
        "at a5c3785",
        "a&#64;b.example",
        "<code>a&#64;b.example</code>",
        "see www&#46;x",
        "http&#58;//x",
        "x &#126;bug",
        "&#33;12",
        "x[^1]\n\n[^1]: y",
        "![x](y)",
        "```\nx\n```",
        "<!-- x -->",
    ];
    for text in bad {
        let whole = format!("<!-- reachform:plan v=1 -->\n### Agents plan\n\n{text}\n");
        assert!(std::panic::catch_unwind(|| check(&whole)).is_err(), "{text}");
    }
    check("<!-- reachform:plan v=1 -->\n### Agents plan\n\n`@org #1`\n");
}
