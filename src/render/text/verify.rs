//! What becomes of a `verify`, for a terminal.

use super::TextOptions;
use super::fields::PATH_COLUMN;
use super::paper::{Paper, Span};
use crate::plan::VerifyChange;
use crate::render::verify;

/// The change, all of it whatever its length.
pub(super) fn write(paper: &mut Paper, change: &VerifyChange, options: &TextOptions) {
    let styles = &options.styles;
    let indent = PATH_COLUMN + 2;
    paper.flow(
        PATH_COLUMN - 2,
        indent,
        &[Span::new(styles.danger, "!"), Span::plain(" verify "), Span::plain(verify::fate(change))],
    );
    for (name, texts) in verify::rows(change) {
        let texts = texts.join(" ");
        paper.flow(indent, indent + 2, &[Span::new(styles.dim, &format!("{name}: ")), Span::plain(&texts)]);
    }
    paper.flow(indent, indent + 2, &[Span::new(styles.danger, &format!("look twice: {}", change.risk()))]);
}
