//! The comment on a pull request, with foreign texts wherever one can stand.

use reachform::diagnostics::SourceMap;
use reachform::plan::{Action, Plan};
use reachform::render::markdown::{COMMENT_BYTES, CommentContext, plan_comment};
use reachform::render::view::Place;

use super::{Verdict, assert_printable};
use crate::render::infested::infested;
use crate::render::markdown;

/// What parts the two texts of an input.
const PARTED: &str = "\n===\n";

/// Two texts of any bytes: one that was, and one that becomes.
pub(super) fn texts(input: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(input);
    let (one, other) = text.split_once(PARTED).unwrap_or((&text, ""));
    (one.to_owned(), other.to_owned())
}

/// Budgets from what a forge takes down to one at which little but the totals is left.
const BUDGETS: [usize; 3] = [COMMENT_BYTES, 20_000, 6_000];

/// Two texts in every place of a plan, as a comment of every size.
pub fn render_markdown(input: &[u8]) -> Verdict {
    let (one, other) = texts(input);
    let plan = infested(&one, &other);
    for max_bytes in BUDGETS {
        let context = CommentContext {
            marker_key: Some(one.clone()),
            commit: Some(other.clone()),
            run_id: Some(one.clone()),
            run_url: Some(format!("https://github.com/acme/{one}")),
            full_plan_url: Some(format!("https://github.com/acme/{other}")),
            repository_url: Some(format!("https://github.com/acme/{one}")),
            folder: Some(other.clone()),
            place: Place::Merge,
            max_bytes,
        };
        let body = plan_comment(&plan, &SourceMap::default(), &context);
        assert_printable("the comment", &body.text);
        markdown::check(&body.text);
        assert!(body.text.len() <= max_bytes, "{} bytes of {max_bytes}", body.text.len());
        assert_names_what_is_deleted(&plan, &body.text);
        assert_eq!(body.text, plan_comment(&plan, &SourceMap::default(), &context).text);
    }
    Verdict::Accepted
}

/// However short it is made, nobody overlooks a delete.
fn assert_names_what_is_deleted(plan: &Plan, text: &str) {
    let deleted = plan.changes.iter().filter(|change| change.action == Action::Delete).count();
    assert!(text.contains(&format!("{deleted} to delete")), "{text}");
    let is_named = text.contains("no manifest declares this agent any more, and it is deleted");
    assert!(is_named || text.contains("to look at first:"), "{text}");
}
