//! One agent, its versions and the log of a project for a terminal: a short line for each version, and what is known of it
//! below, so that nothing runs out of the page.

use unicode_width::UnicodeWidthStr as _;

use super::TextOptions;
use super::paper::{Paper, Span, spans};
use crate::plan::portrait::{Log, Portrait, VersionRow};
use crate::render::drift::moment;
use crate::render::view::{Line, details, facts, version_state};

/// Columns of the names of facts.
const NAMES: usize = 13;
/// Columns of a time.
const TIME: usize = 21;
/// Columns of a state.
const STATE: usize = 11;
/// Columns of a version.
const VERSION: usize = 8;

/// `show KEY`.
pub fn agent_text(portrait: &Portrait, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.columns());
    title(&mut paper, portrait, options);
    for fact in facts(portrait) {
        let name = Span::new(options.styles.dim, &format!("  {:<width$}", fact.name, width = NAMES - 2));
        paper.flow(0, NAMES, &[vec![name], spans(&fact.what, options)].concat());
    }
    notices(&mut paper, &portrait.notices, options);
    paper.into_text()
}

/// `versions KEY`.
pub fn versions_text(portrait: &Portrait, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.columns());
    title(&mut paper, portrait, options);
    if portrait.versions.is_empty() {
        paper.flow(0, 0, &[Span::plain("No versions.")]);
    } else {
        let head = format!("{:<VERSION$}{:<STATE$}{:<TIME$}BY", "VERSION", "STATE", "MADE");
        paper.whole(0, &[Span::new(options.styles.dim, &head)]);
    }
    for row in &portrait.versions {
        let by = paper.width() - VERSION - STATE - TIME;
        let mut line = vec![Span::plain(&format!("{:<VERSION$}", format!("v{}", row.version)))];
        line.extend(column(&version_state(row), STATE, options));
        line.push(Span::plain(&format!("{:<TIME$}", made(row, options))));
        line.push(Span::plain(&shortened(row.by.as_deref().unwrap_or_default(), by, options)));
        paper.whole(0, &line);
        below(&mut paper, row, VERSION, options);
    }
    notices(&mut paper, &portrait.notices, options);
    paper.into_text()
}

/// `log`.
pub fn log_text(log: &Log, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.columns());
    if log.entries.is_empty() {
        paper.flow(0, 0, &[Span::plain("Nothing was published.")]);
    }
    for entry in &log.entries {
        let version = format!(" v{}", entry.row.version);
        let by = entry.row.by.as_deref().map(|by| format!(", by {by}")).unwrap_or_default();
        let room = paper.width() - TIME;
        let address = shortened(&format!("agent.{}", entry.key), room.saturating_sub(version.width() + 20), options);
        let by = shortened(&by, room.saturating_sub(address.width() + version.width()), options);
        let time = Span::new(options.styles.dim, &format!("{:<TIME$}", made(&entry.row, options)));
        paper.whole(0, &[time, Span::new(options.styles.strong, &address), Span::plain(&version), Span::plain(&by)]);
        below(&mut paper, &entry.row, TIME, options);
    }
    if log.left_out > 0 {
        paper.blank();
        let more = format!("{} older ones are not shown: `--limit N` shows more.", log.left_out);
        paper.flow(0, 0, &[Span::new(options.styles.dim, &more)]);
    }
    notices(&mut paper, &log.notices, options);
    paper.into_text()
}

fn title(paper: &mut Paper, portrait: &Portrait, options: &TextOptions) {
    let title = match &portrait.key {
        Some(key) => format!("agent.{key}"),
        None => portrait.agent_id.clone(),
    };
    paper.flow(0, 2, &[Span::new(options.styles.strong, &title)]);
}

fn below(paper: &mut Paper, row: &VersionRow, indent: usize, options: &TextOptions) {
    for detail in details(row) {
        paper.flow(indent, indent + 2, &spans(&detail, options));
    }
}

fn notices(paper: &mut Paper, notices: &[String], options: &TextOptions) {
    for notice in notices {
        paper.blank();
        paper.flow(0, 2, &[Span::new(options.styles.changed, "Note: "), Span::plain(notice)]);
    }
}

/// A line in a column of its own.
fn column(line: &Line, width: usize, options: &TextOptions) -> Vec<Span> {
    let mut spans = spans(line, options);
    let used: usize = spans.iter().map(|span| span.text().width()).sum();
    spans.push(Span::plain(&" ".repeat(width.saturating_sub(used).max(1))));
    spans
}

/// To the minute; a time that is not one as the service gave it, as far as it fits.
fn made(row: &VersionRow, options: &TextOptions) -> String {
    match row.at.as_deref() {
        None => "not known".to_owned(),
        Some(at) => at.parse().map_or_else(|_| shortened(at, TIME - 1, options), moment),
    }
}

/// A text that came from outside on one line and in so many columns, with its middle left out where it is longer.
fn shortened(text: &str, columns: usize, options: &TextOptions) -> String {
    let text = crate::render::visible::one_line(text);
    if text.width() <= columns {
        return text;
    }
    let ellipsis = options.glyphs.ellipsis;
    let half = columns.saturating_sub(ellipsis.width()) / 2;
    let take = |characters: &mut dyn Iterator<Item = char>| {
        let mut taken = String::new();
        for c in characters {
            if taken.width() + c.to_string().width() > half {
                break;
            }
            taken.push(c);
        }
        taken
    };
    let (start, end) = (take(&mut text.chars()), take(&mut text.chars().rev()));
    format!("{start}{ellipsis}{}", end.chars().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{TextOptions, shortened};
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn what_is_too_long_for_its_column_loses_its_middle_and_never_its_width() {
        let options = &TextOptions::default();
        assert_eq!(shortened("jo@example.com", 20, options), "jo@example.com");
        assert_eq!(shortened("somebody-with-a-long-name@example.com", 15, options), "somebod…ple.com");
        for text in ["日本語の名前がとても長い人", "a\u{1b}[31mred", "x"] {
            assert!(shortened(text, 9, options).width() <= 9, "{text}");
        }
    }
}
