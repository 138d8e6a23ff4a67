//! Plans and documents on a terminal, with foreign texts wherever one can stand.

use reachform::diagnostics::SourceMap;
use reachform::render::json::{plan_document, read_plan};
use reachform::render::style::{Detail, Glyphs, Styles};
use reachform::render::text::{TextOptions, plan_text};
use serde_json::Value;

use super::render_markdown::texts;
use super::{Verdict, assert_printable, assert_printable_in_colour};
use crate::render::infested::infested;

/// What a plan takes without any text in it, in bytes, with room to spare.
const FRAME: usize = 50_000;

/// How often a text may stand in an output, with each of its characters written in the longest way.
const MOST_FOLD: usize = 150;

/// Two texts in every place of a plan, in every detail, width and style.
pub fn render_text(input: &[u8]) -> Verdict {
    let (one, other) = texts(input);
    let plan = infested(&one, &other);
    let bound = FRAME + MOST_FOLD * (one.len() + other.len());
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        for (width, glyphs) in [(0, Glyphs::ASCII), (100, Glyphs::UNICODE), (usize::MAX, Glyphs::UNICODE)] {
            let options = TextOptions { width, styles: Styles::plain(), glyphs, detail, ..TextOptions::default() };
            let text = plan_text(&plan, &options);
            assert_printable("the plan", &text);
            assert!(text.len() <= bound, "{} bytes out of {}", text.len(), one.len() + other.len());
            let coloured = plan_text(&plan, &TextOptions { styles: Styles::colored(), ..options });
            assert_printable_in_colour("the coloured plan", &coloured);
            assert!(coloured.len() <= 2 * bound, "{} bytes, coloured", coloured.len());
        }
    }
    let document = plan_document(&plan, &SourceMap::default());
    assert_printable("the document", &document);
    let read: Value = serde_json::from_str(&document).expect("a document is JSON");
    assert_eq!(read["changes"][1]["name"].as_str(), Some(one.as_str()), "a text changed on its way");
    assert!(read_plan(&read).is_some(), "a plan that was written can be read");
    Verdict::Accepted
}
