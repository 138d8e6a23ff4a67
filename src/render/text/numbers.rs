//! Phone numbers that change hands.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::paper::{Paper, Span};
use crate::plan::{AgentChange, Cause, SlotChange};
use crate::render::values::plural;
use crate::render::words;

const COLUMN: usize = 8;
/// A number has at most 16 characters and a direction 8. What the service calls a number may have any, and one of them
/// must not push all others to the right.
const LONGEST_ALIGNED: usize = 32;

/// The numbers of one agent. Those that only follow its new version are counted.
pub(super) fn write(paper: &mut Paper, change: &AgentChange, options: &TextOptions) {
    let moves: Vec<&SlotChange> = change.numbers.iter().filter(|slot| !slot.follows).collect();
    let following = change.numbers.len() - moves.len();
    if change.numbers.is_empty() {
        return;
    }
    let styles = &options.styles;
    paper.flow(COLUMN - 2, COLUMN, &[Span::new(styles.strong, "phone numbers")]);
    let slot_name = |slot: &SlotChange| format!("{} {}", slot.number, slot.direction);
    let column = moves.iter().map(|slot| slot_name(slot).width().min(LONGEST_ALIGNED)).max().unwrap_or(0);
    for slot in &moves {
        let SlotChange { number: _, direction: _, from, to, cause, follows: _, risk } = slot;
        let mark = match (cause, risk) {
            (Cause::Conflict, _) | (_, Some(_)) => Span::new(styles.danger, "!"),
            (Cause::Drift, None) => Span::new(styles.changed, options.glyphs.drift),
            (Cause::Pending | Cause::Rollback, None) => Span::plain(" "),
        };
        let name = slot_name(slot);
        let spans = [
            mark,
            Span::plain(" "),
            Span::plain(&name),
            Span::plain(&" ".repeat(column.saturating_sub(name.width()) + 2)),
            Span::new(styles.dim, &words::holder(from)),
            Span::plain(&format!(" {} ", options.glyphs.arrow)),
            Span::new(styles.added, &words::slot_target(to)),
            Span::new(styles.danger, if *cause == Cause::Conflict { "  conflict" } else { "" }),
        ];
        paper.flow(COLUMN - 2, COLUMN + column + 2, &spans);
        if let Some(risk) = risk {
            let line = format!("look twice: {}", risk.0);
            paper.flow(COLUMN + 2, COLUMN + 4, &[Span::new(styles.danger, &line)]);
        }
    }
    if following > 0 {
        let line = format!("{} the new version", plural(following, "slot follows", "slots follow"));
        paper.flow(COLUMN, COLUMN + 2, &[Span::new(styles.dim, &line)]);
    }
}
