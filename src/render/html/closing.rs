//! The end of a page: what the plan leaves alone, and what exactly was shown.

use super::PageContext;
use super::agents::kept;
use super::escape::{code, line, put, sentence, text};
use crate::plan::Plan;
use crate::render::values::{grouped, plural};
use crate::render::words;

/// Orphans, notices and agents with kept edits that are listed, of each sort; the rest is counted.
const LIST_SHOWN: usize = 50;

/// What the plan does not touch but a reader should know.
pub(super) fn left_alone(out: &mut String, plan: &Plan) {
    let edited: Vec<_> = plan.unchanged.iter().filter(|entry| !entry.kept.is_empty()).collect();
    if edited.is_empty() && plan.orphans.is_empty() && plan.notices.is_empty() && plan.unmanaged.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"left\">\n<h2 id=\"left\">Left alone</h2>\n<ul class=\"left\">\n");
    let more = |out: &mut String, count: usize, what: &str| {
        if count > LIST_SHOWN {
            put(out, format_args!("<li>{} more {what}</li>\n", grouped(count - LIST_SHOWN)));
        }
    };
    for notice in plan.notices.iter().take(LIST_SHOWN) {
        let about =
            notice.address.as_ref().map(|address| format!("{}: ", code(&address.to_string()))).unwrap_or_default();
        put(out, format_args!("<li><b class=\"changed\">note</b> {about}{}</li>\n", sentence(&notice.message)));
    }
    more(out, plan.notices.len(), "notes");
    for orphan in plan.orphans.iter().take(LIST_SHOWN) {
        let (address, name) = (code(&format!("agent.{}", orphan.key)), line(&orphan.name));
        let fate = sentence(&words::fate(orphan));
        put(out, format_args!("<li>{address} “{name}” has no manifest; {fate}</li>\n"));
    }
    more(out, plan.orphans.len(), "agents without a manifest");
    for entry in edited.iter().take(LIST_SHOWN) {
        put(out, format_args!("<li>{} is unchanged\n", code(&format!("agent.{}", entry.key))));
        kept(out, &entry.kept);
        out.push_str("</li>\n");
    }
    more(out, edited.len(), "unchanged agents with live edits");
    if !plan.unmanaged.is_empty() {
        let count = plural(plan.unmanaged.len(), "agent of the organization is", "agents of the organization are");
        put(out, format_args!("<li>{count} not managed by this project</li>\n"));
    }
    out.push_str("</ul>\n</section>\n");
}

/// The totals in the words of every other output, and the hash that approving means.
pub(super) fn footer(plan: &Plan, context: &PageContext) -> String {
    let summary = plan.summary();
    let mut lines = vec![words::plan_line(&summary)];
    lines.extend(words::drift_line(&summary));
    lines.extend(words::conflict_line(&summary));
    let mut out = String::new();
    put(&mut out, format_args!("<p>{}</p>\n", text(&lines.join(" "))));
    put(&mut out, format_args!("<p>Plan hash {}</p>\n", code(plan.plan_hash.as_str())));
    if !plan.is_applyable() {
        out.push_str("<p><b class=\"danger\">This plan cannot be applied.</b></p>\n");
    } else if summary.has_changes() {
        let plain = || format!("reachform apply --approved-plan {}", plan.plan_hash);
        let command = context.apply.clone().unwrap_or_else(plain);
        put(&mut out, format_args!("<p>What applies exactly this, or nothing: {}</p>\n", code(&command)));
    }
    put(&mut out, format_args!("<p class=\"quiet\">Written by reachform {}</p>\n", crate::VERSION));
    out
}
