//! Where the phone numbers ring: a map from who holds each slot to who will.

use super::escape::{put, sentence, spoken, text};
use crate::plan::{Cause, Plan, SlotChange, SlotHolder, SlotTarget};
use crate::render::ladder::{Rows, Rung};
use crate::render::values::plural;
use crate::render::words;

/// The arrow between two holders. It turns downward on a narrow page.
const ARROW: &str = "<svg class=\"arrow\" viewBox=\"0 0 64 12\" width=\"64\" height=\"12\" aria-hidden=\"true\">\
    <path d=\"M1 6h58M54 1l6 5-6 5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"></path></svg>";

/// The map; numbers that only follow their agent's new version are counted.
pub(super) fn map(out: &mut String, plan: &Plan, rung: &Rung) {
    let all: Vec<&SlotChange> = plan.changes.iter().flat_map(|change| &change.numbers).collect();
    // A number that will reach nobody is what a reader must not miss.
    let (mut moves, following): (Vec<&SlotChange>, Vec<&SlotChange>) = all.into_iter().partition(|slot| !slot.follows);
    moves.sort_by_key(|slot| (slot.to != SlotTarget::Empty, slot.risk.is_none()));
    if moves.is_empty() && following.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"numbers\">\n<h2 id=\"numbers\">Phone numbers</h2>\n");
    if rung.rows == Rows::Totals {
        put(out, format_args!("<p>{}</p>\n", plural(moves.len(), "slot changes hands", "slots change hands")));
    } else if !moves.is_empty() {
        out.push_str("<ul class=\"map\">\n");
        for slot in moves {
            row(out, slot);
        }
        out.push_str("</ul>\n");
    }
    if !following.is_empty() {
        let line =
            format!("{} the new version of the same agent.", plural(following.len(), "slot follows", "slots follow"));
        put(out, format_args!("<p class=\"quiet\">{}</p>\n", text(&line)));
    }
    out.push_str("</section>\n");
}

fn row(out: &mut String, slot: &SlotChange) {
    let from = match &slot.from {
        SlotHolder::Empty => "nobody".to_owned(),
        holder => words::holder(holder),
    };
    let (to, tone) = match &slot.to {
        SlotTarget::Empty => ("nobody".to_owned(), "end danger"),
        target => (words::slot_target(target), "end"),
    };
    let mut notes = Vec::new();
    match slot.cause {
        Cause::Drift => notes.push("changed on the service".to_owned()),
        Cause::Conflict => notes.push("<b class=\"danger\">conflict</b>".to_owned()),
        Cause::Rollback => notes.push("rolled back".to_owned()),
        Cause::Pending => {}
    }
    if let Some(risk) = &slot.risk {
        notes.push(format!("<b class=\"danger\">Look twice:</b> {}", sentence(&risk.0)));
    }
    let notes =
        if notes.is_empty() { String::new() } else { format!("<span class=\"note\">{}</span>", notes.join("; ")) };
    put(
        out,
        format_args!(
            "<li><span class=\"number\"><b>{}</b> {}</span><span class=\"end\">{}{}</span>{ARROW}\
             <span class=\"{tone}\">{}{}</span>{notes}</li>\n",
            text(slot.number.as_str()),
            slot.direction,
            spoken("from "),
            text(&from),
            spoken(" to "),
            text(&to)
        ),
    );
}
