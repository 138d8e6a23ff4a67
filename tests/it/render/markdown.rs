//! Reads a comment as a forge would: is its structure ours alone?

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The elements that we write. GitHub lets all of them through.
const ELEMENTS: [&str; 9] = ["details", "summary", "code", "pre", "del", "ins", "b", "i", "sub"];

/// Panics where the comment holds an element that we do not write, where elements do not close, where a heading, image or
/// foreign link stands in it, or where a text outside of code would mention or refer to something.
pub fn check(text: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut comments = 0;
    let mut headings = 0;
    let mut columns: Option<usize> = None;
    let mut cells = 0;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => comments += read_html(&html, &mut open),
            Event::Text(words) => {
                let quoted = open.iter().any(|name| name == "code" || name == "pre");
                assert!(quoted || !refers(&words), "a mention or reference outside of code: {words}");
            }
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://github.com/acme/"), "a foreign link: {dest_url}");
            }
            Event::Start(Tag::Table(alignments)) => columns = Some(alignments.len()),
            Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow | TagEnd::TableHead) => assert_eq!(Some(cells), columns),
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
        if tag == "br" {
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

/// Whether a forge would make a mention, a reference or a link of it.
fn refers(text: &str) -> bool {
    let follows = |mark: char, good: fn(char) -> bool| {
        text.match_indices(mark).any(|(at, _)| text[at + mark.len_utf8()..].chars().next().is_some_and(good))
    };
    follows('@', |c| c.is_ascii_alphanumeric())
        || follows('#', |c| c.is_ascii_digit())
        || ["http://", "https://"].iter().any(|start| text.contains(start))
}

#[test]
fn the_reader_sees_what_is_not_ours() {
    let bad = ["<script>x</script>", "# two", "<pre>", "hello @org", "see #12", "![x](y)", "```\nx\n```", "<!-- x -->"];
    for text in bad {
        let whole = format!("<!-- reachform:plan v=1 -->\n### Agents plan\n\n{text}\n");
        assert!(std::panic::catch_unwind(|| check(&whole)).is_err(), "{text}");
    }
    check("<!-- reachform:plan v=1 -->\n### Agents plan\n\n`@org #1`\n");
}
