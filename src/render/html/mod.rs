//! A plan as one page that needs nothing but itself: no script, no font, no image, no request to anyone.
//!
//! It is written for the person who answers for what an agent says, and who does not read YAML: what must not be
//! overlooked, where each phone number rings, and each prompt word by word or side by side. The two views are switched by
//! radio buttons and a stylesheet. A page has no limit, so nothing is cut; what stands on it already is linked to. It
//! carries a Content-Security-Policy that allows its own stylesheet by hash and nothing else, so that even a text that
//! got through unescaped could do nothing.

mod block;
mod document;
pub(super) mod escape;
mod front;
mod prose;
mod rows;

use maud::html;

use super::view::{self, Account, Note, Place, Theirs, Tone};
use crate::diagnostics::SourceMap;
use crate::plan::Plan;
use escape::theirs;
use rows::Shown;

/// What a page needs to know beside the plan.
#[derive(Clone, Debug, Default)]
pub struct PageContext {
    /// Where the run can be seen.
    pub run_url: Option<String>,
    /// Whether it is read where nobody is asked, and conflicts are held.
    pub place: Place,
    /// The command that applies exactly this plan, where it is known.
    pub command: Option<String>,
}

/// The page of a plan.
pub fn plan_page(plan: &Plan, sources: &SourceMap, context: &PageContext) -> String {
    let account = view::plan(plan, context.place);
    // The signs and the table of outcomes belong to other accounts and other formats: a page says in words what is
    // done, and a plan has no outcomes.
    let Account {
        facts,
        warnings,
        alarms,
        signs: _,
        outcomes: _,
        blocks,
        numbers,
        nothing,
        notes,
        ways,
        totals,
        cut: _,
    } = &account;
    let (limits, notes): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|note| note.tone == Tone::Danger);
    let ids = block::ids(blocks);
    let mut shown = Shown::default();
    let changes = html! { @for (block, id) in blocks.iter().zip(&ids) { (block::block(block, id, &mut shown)) } };
    let header = html! {
        p.eyebrow { (theirs(&Theirs::words(plan.target.project.as_str()))) }
        h1 { (front::title(plan)) }
        @if let Some(nothing) = nothing { p.lead { (nothing) } }
        (front::counts(&plan.summary()))
        (front::facts(facts, context.run_url.as_deref()))
    };
    let main = html! {
        (front::attention(warnings, alarms, &limits, &ids))
        (front::problems(&plan.diagnostics, sources))
        (front::overview(blocks, &ids))
        @if !blocks.is_empty() {
            section aria-labelledby="agents" {
                h2 #agents { "Changes" }
                @if shown.has_sides { (prose::switch()) }
                (changes)
            }
        }
        @if !numbers.is_empty() {
            section aria-labelledby="numbers" { h2 #numbers { "Phone numbers" } (block::moves(numbers)) }
        }
        @if !notes.is_empty() {
            section aria-labelledby="notes" {
                h2 #notes { "Notes" }
                ul.notes { @for note in notes { li { (front::note(note)) } } }
            }
        }
    };
    let footer = html! {
        @for total in totals { p class=[escape::class(total.tone)] { (escape::line(&total.what)) } }
        @for way in ways { p { (way.name) ": " (way.what) } pre { (theirs(&way.copy)) } }
        @if !plan.is_applyable() {
            p.danger { b { "This plan cannot be applied." } }
        } @else if let Some(command) = context.command.as_ref().filter(|_| plan.summary().has_changes()) {
            p { "This command applies exactly this plan, or nothing:" }
            pre { (theirs(&Theirs::prose(command.as_str()))) }
        }
        p.quiet { "Written by reachform " (crate::VERSION) }
    };
    let title = html! { (front::title(plan)) ": " (super::words::counts(&plan.summary())) };
    document::page(&title, &header, &main, &footer).into_string()
}
