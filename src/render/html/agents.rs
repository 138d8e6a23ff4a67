//! The agents: what is deleted, what is in dispute, what Git changes, what the service changed, each apart.

use super::escape::{anchor, code, put, sentence, text};
use super::overview::badge;
use super::told::{Told, ToldField};
use super::values;
use crate::plan::{Action, Cause, KeptEdit};
use crate::render::ladder::{Details, Rung};
use crate::render::values::{brief, plural};
use crate::render::verify::fate;
use crate::render::words;

/// Up to so many agents, all stand open; of more, only those that need a second look.
const OPEN_AGENTS: usize = 6;
/// Kept edits of an agent that are named.
const KEPT_SHOWN: usize = 20;

/// A section of the page: its name in links, its heading, what it is, and whose fields it shows.
struct Kind {
    anchor: &'static str,
    title: &'static str,
    about: &'static str,
    causes: &'static [Cause],
}

const DELETED: Kind = Kind {
    anchor: "delete",
    title: "Deleted",
    about: "These agents go, with all their versions. Nothing brings them back.",
    causes: &[],
};
const CONFLICTS: Kind = Kind {
    anchor: "conflict",
    title: "Conflicts",
    about: "Changed in Git and on the service since the last apply. Approving this plan writes what Git declares.",
    causes: &[Cause::Conflict],
};
const CHANGES: Kind =
    Kind { anchor: "change", title: "Changes", about: "What Git changes.", causes: &[Cause::Pending, Cause::Rollback] };
const DRIFT: Kind = Kind {
    anchor: "drift",
    title: "Changed outside of Git",
    about: "Someone changed these values on the service. The plan writes back what Git declares.",
    causes: &[Cause::Drift],
};
const ALL: [&Kind; 4] = [&DELETED, &CONFLICTS, &CHANGES, &DRIFT];

impl Kind {
    /// The fields of an agent that belong here; nothing where the agent does not.
    fn of<'t, 'p>(&self, told: &'t Told<'p>) -> Option<Vec<&'t ToldField<'p>>> {
        let is_delete = told.change.action == Action::Delete;
        if self.anchor == DELETED.anchor {
            return is_delete.then(Vec::new);
        }
        let fields = told.caused(self.causes);
        // An agent of which nothing differs but its numbers, its stamp or its key is a change all the same.
        let bare = self.anchor == CHANGES.anchor && told.fields.is_empty();
        (!is_delete && (!fields.is_empty() || bare)).then_some(fields)
    }
}

fn is_shown(told: &Told<'_>, rung: &Rung) -> bool {
    match rung.details {
        Details::All => true,
        Details::Risky => words::needs_second_look(told.change),
        Details::None => false,
    }
}

/// Where a link to an agent leads.
pub(super) fn first_section(told: &Told<'_>, rung: &Rung) -> Option<&'static str> {
    ALL.into_iter().find(|kind| is_shown(told, rung) && kind.of(told).is_some()).map(|kind| kind.anchor)
}

/// All sections that hold anything, with the switch between the two views of a text before the first one that needs it.
pub(super) fn sections(out: &mut String, told: &[Told<'_>], rung: &Rung) {
    let mut switch_is_due = true;
    for kind in ALL {
        let shown: Vec<_> = told
            .iter()
            .filter(|entry| is_shown(entry, rung))
            .filter_map(|entry| kind.of(entry).map(|fields| (entry, fields)))
            .collect();
        if shown.is_empty() {
            continue;
        }
        if switch_is_due && kind.anchor != DELETED.anchor {
            out.push_str(SWITCH);
            switch_is_due = false;
        }
        let id = format!("section-{}", kind.anchor);
        put(out, format_args!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n", kind.title));
        put(out, format_args!("<p class=\"about\">{}</p>\n", kind.about));
        let few = told.len() <= OPEN_AGENTS;
        for (entry, fields) in shown {
            agent(out, kind, entry, &fields, few, rung);
        }
        out.push_str("</section>\n");
    }
}

/// Two views of every changed text, and no script: the stylesheet asks which button is pressed.
const SWITCH: &str = "<fieldset class=\"switch\"><legend>Show changed texts</legend>\
    <label><input type=\"radio\" name=\"view\" id=\"view-words\" checked=\"checked\" /> word by word</label>\
    <label><input type=\"radio\" name=\"view\" id=\"view-sides\" /> side by side</label></fieldset>\n";

fn agent(out: &mut String, kind: &Kind, told: &Told<'_>, fields: &[&ToldField<'_>], few: bool, rung: &Rung) {
    let change = told.change;
    let open = if few || words::needs_second_look(change) { " open=\"open\"" } else { "" };
    put(
        out,
        format_args!(
            "<details class=\"agent\" id=\"{}\"{open}>\n<summary><h3>{}</h3> {} <span class=\"version\">{}</span></summary>\n",
            anchor(kind.anchor, change.key.as_str()),
            code(&change.address.to_string()),
            badge(change),
            text(&words::versions(change, "→"))
        ),
    );
    let mut notes: Vec<String> = Vec::new();
    if kind.anchor == DRIFT.anchor || kind.anchor == CONFLICTS.anchor {
        notes.extend(words::edited(change));
    } else {
        notes.extend(words::notes(change));
    }
    for note in notes {
        put(out, format_args!("<p class=\"note\">{}</p>\n", sentence(&note)));
    }
    if let Some(origin) = &change.origin {
        put(out, format_args!("<p class=\"note\">{}</p>\n", code(&format!("{}:{}", origin.file, origin.line))));
    }
    if let Some(held) = &change.held {
        put(out, format_args!("<p class=\"risk\"><b>Held back:</b> {}</p>\n", sentence(&held.describe(&change.key))));
    }
    if let Some(becomes) = change.verify.as_ref().filter(|_| first_section(told, rung) == Some(kind.anchor)) {
        let (fate, risk) = (fate(becomes), sentence(becomes.risk()));
        put(out, format_args!("<p class=\"risk\"><b>{} {fate}:</b> {risk}</p>\n", code("verify")));
    }
    if !fields.is_empty() {
        values::fields(out, fields, rung);
    }
    let moves = change.numbers.iter().filter(|slot| !slot.follows).count();
    if moves > 0 && first_section(told, rung) == Some(kind.anchor) {
        let count = plural(moves, "phone slot changes hands", "phone slots change hands");
        put(out, format_args!("<p class=\"note\">{count}: see <a href=\"#numbers\">phone numbers</a></p>\n"));
    }
    if kind.anchor == CHANGES.anchor {
        kept(out, &change.kept);
    }
    out.push_str("</details>\n");
}

/// Live edits at paths that Git does not declare. They stay, and a reader should know of them.
pub(super) fn kept(out: &mut String, kept: &[KeptEdit]) {
    if kept.is_empty() {
        return;
    }
    let count =
        plural(kept.len(), "live edit that Git does not declare stays", "live edits that Git does not declare stay");
    put(out, format_args!("<div class=\"kept\"><p class=\"quiet\">{count}:</p>\n<ul>\n"));
    for edit in kept.iter().take(KEPT_SHOWN) {
        let (before, after) = (brief(&edit.before), brief(&edit.after));
        put(out, format_args!("<li>{} {} → {}</li>\n", code(&edit.path.to_string()), text(&before), text(&after)));
    }
    if kept.len() > KEPT_SHOWN {
        put(out, format_args!("<li>{} more</li>\n", kept.len() - KEPT_SHOWN));
    }
    out.push_str("</ul></div>\n");
}
