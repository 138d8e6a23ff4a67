//! The difference of two states of the manifests for a terminal.

use super::TextOptions;
use super::fields::{PATH_COLUMN, body, column, headline, label};
use super::paper::{Paper, Span};
use super::verify;
use crate::model::Key;
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference};
use crate::plan::{FieldChange, Shown};
use crate::render::style::Detail;
use crate::render::values::Change;
use crate::render::words;

/// Lines of one manifest's values, unless everything was asked for.
const LINES_PER_MANIFEST: usize = 200;

/// The whole difference.
pub fn difference_text(difference: &Difference, options: &TextOptions) -> String {
    let styles = &options.styles;
    let Difference { project, environment, base, head, manifests, numbers, same: _, notices } = difference;
    let mut paper = Paper::new(options.columns());
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    let now = match (&head.commit, head.dirty) {
        (Some(commit), false) => short(commit),
        (Some(commit), true) => format!("{} (with changes that are not committed)", short(commit)),
        (None, _) => "the files as they are".to_owned(),
    };
    let states = format!("{} ({}) {} {now}", base.name, short(&base.commit), options.glyphs.arrow);
    paper.flow(0, 8, &[Span::new(styles.dim, "Between "), Span::plain(&states)]);
    let target = format!("environment {environment} {} project {project}", options.glyphs.dot);
    paper.flow(0, 8, &[Span::new(styles.dim, "For     "), Span::plain(&target)]);
    for manifest in manifests {
        paper.blank();
        one(&mut paper, manifest, options);
    }
    if !numbers.is_empty() {
        paper.blank();
        paper.flow(2, 4, &[Span::new(styles.strong, "Phone numbers")]);
        for claim in numbers {
            number(&mut paper, claim, options);
        }
    }
    paper.blank();
    if difference.is_empty() {
        paper.flow(0, 0, &[Span::new(styles.strong, "No difference. Both states of the files want the same.")]);
        paper.blank();
    }
    for notice in notices {
        paper.flow(0, 2, &[Span::new(styles.changed, "Note: "), Span::plain(notice)]);
    }
    paper.flow(0, 2, &[Span::new(styles.dim, words::OFFLINE)]);
    paper.whole(0, &[Span::new(styles.strong, &words::difference_line(difference))]);
    paper.into_text()
}

fn one(paper: &mut Paper, manifest: &ManifestDifference, options: &TextOptions) {
    let styles = &options.styles;
    let ManifestDifference { key, name, fate, moved_from, origin, fields, verify: becomes } = manifest;
    let (style, what) = match fate {
        Fate::Added => (styles.added, "is new"),
        Fate::Changed => (styles.changed, "changes"),
        Fate::Removed => (styles.danger, "is REMOVED"),
    };
    let spans = [
        Span::new(style, &format!("{} ", fate.symbol())),
        Span::new(styles.strong, &format!("agent.{key}")),
        Span::plain("   "),
        Span::new(style, what),
        Span::new(styles.dim, &format!("   {}:{}", origin.file, origin.line)),
    ];
    paper.flow(2, 6, &spans);
    if *fate != Fate::Changed {
        paper.flow(6, 8, &[Span::new(styles.dim, &format!("\"{name}\""))]);
    }
    if let Some(old) = moved_from {
        paper.flow(6, 8, &[Span::new(styles.dim, &format!("was agent.{old} until now"))]);
    }
    if let Some(becomes) = becomes {
        verify::write(paper, becomes, options);
    }
    let mut values = Paper::new(paper.width());
    let column = column(fields.iter().map(|field| &field.path));
    for field in fields {
        row(&mut values, field, *fate == Fate::Added, column, options);
    }
    let all = values.len();
    if options.detail != Detail::Full && all > LINES_PER_MANIFEST {
        values.truncate(LINES_PER_MANIFEST);
        let more = format!("{} {} more lines (--diff=full)", options.glyphs.gap, all - LINES_PER_MANIFEST);
        values.flow(6, 8, &[Span::new(styles.dim, &more)]);
    }
    paper.append(values);
}

fn row(paper: &mut Paper, field: &FieldChange, is_new: bool, column: usize, options: &TextOptions) {
    let change = Change::of(&field.before, &field.after);
    let is_new = is_new && field.before == Shown::Absent;
    label(paper, &Span::plain(" "), &field.path.to_string(), column, headline(&change, is_new, options));
    body(paper, PATH_COLUMN + 2, &change, options);
}

fn number(paper: &mut Paper, claim: &ClaimDifference, options: &TextOptions) {
    let ClaimDifference { number, direction, from, to } = claim;
    let name =
        |key: &Option<Key>| key.as_ref().map_or_else(|| "(no manifest)".to_owned(), |key| format!("agent.{key}"));
    let spans = [
        Span::plain(&format!("{number} {direction}   ")),
        Span::new(options.styles.dim, &name(from)),
        Span::plain(&format!(" {} ", options.glyphs.arrow)),
        Span::new(if to.is_some() { options.styles.added } else { options.styles.danger }, &name(to)),
    ];
    paper.flow(6, 8, &spans);
}
