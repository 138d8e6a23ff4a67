//! An account as the body of a comment: from its first field to its last.

use super::CommentContext;
use super::escape::link;
use super::line::{Comment, line};
use super::rows::{Bullets, fenced};
use crate::render::put::put;
use crate::render::values::plural;
use crate::render::view::{
    Account, Alarm, Block, Cut, Line, Move, Note, OutcomeRow, Tone, Total, Warning, Way, by_agent,
};

/// Up to so many blocks, all stand open; of more, only those that need a second look.
const OPEN_BLOCKS: usize = 3;
/// Up to so many notes stand open.
const OPEN_NOTES: usize = 3;

/// What a comment says before its account.
pub(super) struct Head {
    /// The hidden marker.
    pub(super) marker: String,
    /// The line that a notification and a telephone show.
    pub(super) title: String,
    /// Commit and links.
    pub(super) links: Vec<String>,
    /// What is said below the alarms and above the changes, as Markdown.
    pub(super) above: String,
}

/// The body.
pub(super) fn body(head: &Head, account: &Account, context: &CommentContext) -> String {
    let Account { facts, warnings, alarms, signs, outcomes, blocks, numbers, nothing, notes, ways, totals, cut } =
        account;
    let files = context.files_url();
    let medium = Comment { in_html: false, files: files.as_deref() };
    let mut out = format!("{}### {}\n{}\n\n", head.marker, head.title, head.links.join(" · "));
    if let Some(cut) = cut {
        out.push_str(&left_out(cut, context));
    }
    out.push_str(&look_first(warnings, alarms, cut.as_ref(), &medium));
    out.push_str(&head.above);
    if let Some(nothing) = nothing {
        put(&mut out, format_args!("{nothing}\n\n"));
    }
    out.push_str(&outcome_table(outcomes, &medium));
    for each in blocks {
        out.push_str(&block(each, blocks.len() <= OPEN_BLOCKS, &medium));
    }
    out.push_str(&moves("Phone numbers", numbers, &medium));
    if let Some(cut) = cut {
        out.push_str(&unshown(cut, &medium));
    }
    out.push_str(&noted(notes, &medium));
    for Way { name, what, copy, language } in ways {
        let what = if what.is_empty() { String::new() } else { format!(" {what}") };
        put(&mut out, format_args!("<b>{name}:</b>{what}\n\n{}\n", fenced(language, &copy.through(&medium))));
    }
    let facts = facts.iter().map(|fact| format!("{}: {}", fact.name, line(&fact.what, &medium)));
    let signs: Vec<String> = signs
        .iter()
        .map(|(sign, word)| format!("<code>{}</code> {word}", line(sign, &Comment { in_html: true, ..medium })))
        .collect();
    let signs = (!signs.is_empty()).then(|| format!("Signs: {}", signs.join(" · ")));
    let totals = totals.iter().map(|Total { tone: _, what }| line(what, &medium));
    let small: Vec<String> = totals.chain(facts).chain(signs).collect();
    put(&mut out, format_args!("<sub>{}</sub>\n", small.join("<br>")));
    out
}

/// How much is missing, and where it is.
fn left_out(cut: &Cut, context: &CommentContext) -> String {
    let Cut { shown, of, names, unnamed, alarms: _, lines } = cut;
    let agents = names.len() + unnamed;
    let mut says = Vec::new();
    if shown < of {
        let verb = if *shown == 1 { "is" } else { "are" };
        says.push(format!("<b>{shown} of {of} changes {verb} shown in full here.</b>"));
    }
    if agents > 0 {
        says.push(format!("{} not shown at all.", plural(agents, "agent is", "agents are")));
    }
    if *lines > 0 {
        says.push(format!("{} left out.", plural(*lines, "other line is", "other lines are")));
    }
    let whole = context.full_plan_url.as_deref().and_then(|url| link("full plan", url));
    let run = context.run_url.as_deref().and_then(|url| link("run", url));
    let place = whole.into_iter().chain(run).collect::<Vec<_>>().join(", the ");
    let place = if place.is_empty() { String::new() } else { format!("the {place}, ") };
    format!(
        "> [!IMPORTANT]\n> {} See {place}the page (`--html`), or `reachform show` with the plan file.\n\n",
        says.join(" ")
    )
}

/// The agents of which there is only a name, or not even that.
fn unshown(cut: &Cut, medium: &Comment<'_>) -> String {
    if cut.names.is_empty() && cut.unnamed == 0 {
        return String::new();
    }
    let mut names: Vec<String> = cut.names.iter().map(|name| line(name, medium)).collect();
    if cut.unnamed > 0 {
        names.push(format!("and {} more", cut.unnamed));
    }
    format!("<b>No room here for:</b> {}\n\n", names.join(", "))
}

/// The one box of what nobody may overlook.
fn look_first(warnings: &[Warning], alarms: &[Alarm], cut: Option<&Cut>, medium: &Comment<'_>) -> String {
    let mut out = String::new();
    for Warning { lead, tone: _, what, hints } in warnings {
        put(&mut out, format_args!("> - <b>{lead}:</b> {}\n", line(what, medium)));
        for hint in hints {
            put(&mut out, format_args!(">   - hint: {}\n", line(hint, medium)));
        }
    }
    for group in by_agent(alarms) {
        let names = line(&group.names(), medium);
        match group.what.as_slice() {
            [what] if names.is_empty() => put(&mut out, format_args!("> - {}\n", line(what, medium))),
            [what] => put(&mut out, format_args!("> - {names}: {}\n", line(what, medium))),
            several => {
                put(&mut out, format_args!("> - {names}\n"));
                for what in several {
                    put(&mut out, format_args!(">   - {}\n", line(what, medium)));
                }
            }
        }
    }
    let more = cut.map_or(0, |cut| cut.alarms);
    if more > 0 {
        let more = plural(more, "more thing", "more things");
        put(&mut out, format_args!("> - <b>{more} to look at first:</b> read the whole plan before you approve it\n"));
    }
    if out.is_empty() { out } else { format!("> [!WARNING]\n> <b>Look at this first</b>\n>\n{out}\n") }
}

fn outcome_table(outcomes: &[OutcomeRow], medium: &Comment<'_>) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    const COLUMNS: [&str; 4] = ["Agent", "Outcome", "Live version", "Took"];
    let used: Vec<usize> = (0..COLUMNS.len())
        .filter(|column| outcomes.iter().any(|row| row.cells.get(*column).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let names: Vec<&str> = used.iter().filter_map(|column| COLUMNS.get(*column).copied()).collect();
    let mut out = format!("| {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for row in outcomes {
        let cell = |column: &usize| row.cells.get(*column).map(|cell| line(cell, medium)).unwrap_or_default();
        let cells: Vec<String> = used.iter().map(cell).collect();
        put(&mut out, format_args!("| `{}` {} |\n", row.sign, cells.join(" | ")));
    }
    out + "\n"
}

/// An agent, or a change that several share.
fn block(block: &Block, few: bool, medium: &Comment<'_>) -> String {
    let Block {
        key: _,
        mark,
        title,
        state,
        origin,
        reach,
        reach_in_lines,
        notes,
        program,
        moves,
        following,
        rows,
        remarks,
        steps: _,
        is_risky,
    } = block;
    let text = |of: &Line| line(of, medium);
    let mut inner = Vec::new();
    inner.extend(origin.as_ref().filter(|_| medium.files.is_some()).map(|origin| origin.through(medium)));
    inner.extend(notes.iter().map(text));
    let mut body = inner.join("<br>\n");
    if !reach.is_empty() {
        let between = if *reach_in_lines { "<br>\n" } else { ", " };
        let reach: Vec<String> = reach.iter().map(text).collect();
        put(&mut body, format_args!("\n\nOn {}", reach.join(between)));
    }
    let mut list = Bullets { out: String::new(), medium: *medium };
    if let Some(program) = program {
        list.program(program);
    }
    for slot in moves {
        list.slot(slot);
    }
    if *following > 0 {
        list.bullet(0, &format!("{} the new version", plural(*following, "phone slot follows", "phone slots follow")));
    }
    list.rows(0, rows);
    put(&mut body, format_args!("\n\n{}", list.out));
    for remark in remarks {
        put(&mut body, format_args!("\n{}\n", text(remark)));
    }
    let html = Comment { in_html: true, files: None };
    let changes: usize = rows.iter().map(|row| row.seen.changes()).sum();
    let mut head = vec![format!("{} {}", line(title, &html), line(state, &html))];
    head.extend((changes > 0).then(|| plural(changes, "changed value", "changed values")));
    head.extend(origin.as_ref().filter(|_| medium.files.is_none()).map(|origin| origin.through(&html)));
    let sign = line(&mark.sign, &html);
    let sign = if sign.is_empty() { sign } else { format!("<code>{sign}</code> ") };
    let open = if few || *is_risky { " open" } else { "" };
    let body = body.trim();
    if body.is_empty() {
        return format!("{sign}{}\n\n", head.join(" · "));
    }
    format!("<details{open}><summary>{sign}{}</summary>\n\n{body}\n\n</details>\n\n", head.join(" · "))
}

fn moves(title: &str, moves: &[Move], medium: &Comment<'_>) -> String {
    if moves.is_empty() {
        return String::new();
    }
    let mut list = Bullets { out: String::new(), medium: *medium };
    for slot in moves {
        list.slot(slot);
    }
    format!("<b>{title}</b>\n\n{}\n", list.out)
}

/// What is not a change: loud ones open, many quiet ones folded.
fn noted(notes: &[Note], medium: &Comment<'_>) -> String {
    let mut out = String::new();
    for Note { lead, tone: _, what } in notes {
        let lead = if lead.is_empty() { String::new() } else { format!("<b>{}</b> ", lead.trim()) };
        put(&mut out, format_args!("- {lead}{}\n", line(what, medium)));
    }
    if notes.len() > OPEN_NOTES && notes.iter().all(|note| note.tone != Tone::Danger) {
        let count = plural(notes.len(), "note", "notes");
        return format!("<details><summary>{count}</summary>\n\n{out}\n</details>\n\n");
    }
    if out.is_empty() { out } else { out + "\n" }
}
