//! An account on paper: from its first field to its last.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::paper::{Paper, Span, Terminal, spans, style_of, width};
use super::rows::{PATH_COLUMN, mark, rows};
use crate::render::style::Detail;
use crate::render::values::plural;
use crate::render::view::{Account, Alarm, Block, Line, Move, OutcomeRow, Program, Row, Warning, Way, by_agent};

/// A number has at most 16 characters and a direction 8. What the service calls a number may have any, and one of them
/// must not push all others to the right.
const LONGEST_NUMBER: usize = 32;

/// The account as text.
pub fn account_text(account: &Account, options: &TextOptions) -> String {
    let Account { facts, warnings, alarms, signs, outcomes, blocks, numbers, nothing, notes, ways, totals, cut: _ } =
        account;
    let styles = &options.styles;
    let mut paper = Paper::new(options.columns());
    for fact in facts {
        let name = Span::new(styles.dim, &format!("{:<8}", fact.name));
        paper.flow(0, 8, &[vec![name], spans(&fact.what, options)].concat());
    }
    for warning in warnings {
        write_warning(&mut paper, warning, options);
    }
    write_alarms(&mut paper, alarms, options);
    write_signs(&mut paper, signs, options);
    write_outcomes(&mut paper, outcomes, options);
    for block in blocks {
        paper.blank();
        write_block(&mut paper, block, options);
    }
    if !numbers.is_empty() {
        paper.blank();
        paper.flow(2, 4, &[Span::new(styles.strong, "Phone numbers")]);
        write_moves(&mut paper, numbers, options);
    }
    paper.blank();
    if let Some(nothing) = nothing {
        paper.flow(0, 0, &[Span::new(styles.strong, nothing)]);
        paper.blank();
    }
    for note in notes {
        let lead = Span::new(style_of(note.tone, options), note.lead);
        paper.flow(0, 2, &[vec![lead], spans(&note.what, options)].concat());
    }
    let (of_many_lines, of_one): (Vec<&Way>, Vec<&Way>) = ways.iter().partition(|way| !way.what.is_empty());
    if !of_many_lines.is_empty() {
        paper.blank();
    }
    for way in of_many_lines {
        paper.flow(0, 2, &[Span::new(styles.strong, way.name), Span::plain(": "), Span::plain(way.what)]);
        for line in way.copy.lines() {
            paper.whole(4, &[Span::plain(&line.through(&Terminal))]);
        }
    }
    if ways.iter().any(|way| !way.what.is_empty()) || outcomes.is_empty() {
        paper.blank();
    }
    for total in totals {
        paper.flow(0, 2, &spans(&total.what, options));
    }
    for way in of_one {
        let copy = way.copy.through(&Terminal);
        paper.whole(0, &[Span::plain(&format!("{}:  ", way.name)), Span::new(styles.strong, &copy)]);
    }
    paper.into_text()
}

fn write_warning(paper: &mut Paper, warning: &Warning, options: &TextOptions) {
    let lead = Span::new(style_of(warning.tone, options), &format!("{}: ", warning.lead));
    paper.flow(0, 2, &[vec![lead], spans(&warning.what, options)].concat());
    for hint in &warning.hints {
        let lead = Span::new(options.styles.dim, "hint: ");
        paper.flow(2, 4, &[vec![lead], spans(hint, options)].concat());
    }
}

/// The alarms of each agent below its name; a single one beside it.
fn write_alarms(paper: &mut Paper, alarms: &[Alarm], options: &TextOptions) {
    if alarms.is_empty() {
        return;
    }
    paper.flow(0, 2, &[Span::new(options.styles.danger, "Look at this first:")]);
    let sign = || vec![Span::new(options.styles.danger, "!"), Span::plain(" ")];
    for group in by_agent(alarms) {
        let names = spans(&group.names(), options);
        match group.what.as_slice() {
            [what] if names.is_empty() => paper.flow(2, 4, &[sign(), spans(what, options)].concat()),
            [what] => paper.flow(2, 4, &[sign(), names, vec![Span::plain(": ")], spans(what, options)].concat()),
            several => {
                paper.flow(2, 4, &[sign(), names].concat());
                for what in several {
                    paper.flow(6, 8, &spans(what, options));
                }
            }
        }
    }
}

fn write_signs(paper: &mut Paper, signs: &[(Line, &'static str)], options: &TextOptions) {
    if signs.is_empty() {
        return;
    }
    let dim = options.styles.dim;
    let mut line = vec![Span::new(dim, "Signs ")];
    for (index, (sign, word)) in signs.iter().enumerate() {
        line.push(Span::new(dim, if index == 0 { "  " } else { "   " }));
        line.extend(spans(sign, options));
        line.push(Span::new(dim, &format!(" {word}")));
    }
    paper.flow(0, 8, &line);
}

/// The table of outcomes, in columns.
fn write_outcomes(paper: &mut Paper, outcomes: &[OutcomeRow], options: &TextOptions) {
    if outcomes.is_empty() {
        return;
    }
    paper.blank();
    let set: Vec<[Vec<Span>; 4]> =
        outcomes.iter().map(|row| row.cells.each_ref().map(|cell| spans(cell, options))).collect();
    let columns: Vec<usize> = (0..4)
        .map(|column| set.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    for (row, cells) in outcomes.iter().zip(&set) {
        let mut line = vec![Span::plain(&format!("{:<3}", row.sign))];
        for (cell, column) in cells.iter().zip(&columns) {
            line.extend(cell.iter().cloned());
            line.push(Span::plain(&" ".repeat(column - width(cell) + 2)));
        }
        paper.whole(2, &line);
    }
}

fn write_block(paper: &mut Paper, block: &Block, options: &TextOptions) {
    let Block {
        key: _,
        mark: sign,
        title,
        state,
        origin,
        reach,
        reach_in_lines,
        notes,
        program,
        moves,
        following,
        rows: values,
        remarks,
        steps,
        is_risky: _,
    } = block;
    let styles = &options.styles;
    let mut line = spans(&sign.sign, options);
    if !line.is_empty() {
        line.push(Span::plain(" "));
    }
    line.extend(spans(title, options));
    line.push(Span::plain("   "));
    line.extend(spans(state, options));
    if let Some(origin) = origin {
        line.push(Span::new(styles.dim, &format!("   {}", origin.through(&Terminal))));
    }
    paper.flow(2, 6, &line);
    if *reach_in_lines {
        for agent in reach {
            paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &spans(agent, options));
        }
    } else if !reach.is_empty() {
        let line = Line::joined(reach.iter().cloned(), ", ");
        paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &spans(&line, options));
    }
    for note in notes {
        paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &spans(note, options));
    }
    if let Some(program) = program {
        write_program(paper, program, options);
    }
    if !moves.is_empty() || *following > 0 {
        paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &[Span::new(styles.strong, "phone numbers")]);
        write_moves(paper, moves, options);
    }
    if *following > 0 {
        let text = format!("{} the new version", plural(*following, "slot follows", "slots follow"));
        paper.flow(PATH_COLUMN + 2, PATH_COLUMN + 4, &[Span::new(styles.dim, &text)]);
    }
    rows(paper, values, PATH_COLUMN, options);
    hidden_line(paper, values, options);
    for remark in remarks {
        paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &spans(remark, options));
    }
    if options.detail == Detail::Full && !steps.is_empty() {
        let steps: Vec<String> = steps.iter().map(|step| step.through(&Terminal)).collect();
        let text = format!("steps: {}", steps.join(", then "));
        paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &[Span::new(styles.dim, &text)]);
    }
}

/// How many changed values a summary names and does not show.
fn hidden_line(paper: &mut Paper, rows: &[Row], options: &TextOptions) {
    let hidden: usize = rows.iter().filter(|row| !row.seen.is_one_line()).map(|row| row.seen.changes()).sum();
    if options.detail != Detail::Summary || hidden == 0 {
        return;
    }
    let count = plural(hidden, "changed value is", "changed values are");
    let text = format!("{} {count} not shown here (--diff=words shows all)", options.glyphs.gap);
    paper.flow(PATH_COLUMN, PATH_COLUMN + 2, &[Span::new(options.styles.dim, &text)]);
}

fn write_program(paper: &mut Paper, program: &Program, options: &TextOptions) {
    let styles = &options.styles;
    let indent = PATH_COLUMN + 2;
    let line = [Span::new(styles.danger, "!"), Span::plain(" verify "), Span::plain(program.fate)];
    paper.flow(PATH_COLUMN - 2, indent, &line);
    for (name, texts) in &program.rows {
        let texts: Vec<String> = texts.iter().map(|text| text.through(&Terminal)).collect();
        let line = [Span::new(styles.dim, &format!("{name}: ")), Span::plain(&texts.join(" "))];
        paper.flow(indent, indent + 2, &line);
    }
    paper.flow(indent, indent + 2, &[Span::new(styles.danger, &format!("look twice: {}", program.risk))]);
}

/// Slots that change hands, in columns.
fn write_moves(paper: &mut Paper, moves: &[Move], options: &TextOptions) {
    let at = PATH_COLUMN + 2;
    let names: Vec<String> =
        moves.iter().map(|slot| format!("{} {}", slot.number.through(&Terminal), slot.direction)).collect();
    let column = names.iter().map(|name| name.width().min(LONGEST_NUMBER)).max().unwrap_or(0);
    for (slot, name) in moves.iter().zip(&names) {
        let padding = " ".repeat(column.saturating_sub(name.width()) + 2);
        let mut line = vec![mark(slot.mark, options), Span::plain(" "), Span::plain(name), Span::plain(&padding)];
        line.extend(spans(&slot.from, options));
        line.push(Span::plain(&format!(" {} ", options.glyphs.arrow)));
        line.extend(spans(&slot.to, options));
        if let Some(remark) = &slot.remark {
            line.push(Span::plain("  "));
            line.extend(spans(remark, options));
        }
        paper.flow(at - 2, at + column + 2, &line);
        for note in &slot.notes {
            paper.flow(at + 2, at + 4, &spans(note, options));
        }
    }
}
