//! What becomes of a `verify`, as a line among the warnings of a comment.

use super::escape::{code, sentence};
use crate::model::Key;
use crate::plan::VerifyChange;
use crate::render::ladder::{Rows, Rung};
use crate::render::put::put;
use crate::render::verify;

/// The lines for all agents of which it changes. Where there is no room for anything but totals, one says so.
pub(super) fn warnings(groups: &[(Vec<&Key>, &VerifyChange)], rung: &Rung) -> Vec<String> {
    if rung.rows == Rows::Totals && !groups.is_empty() {
        return vec![format!("**`verify` changes** {}.", verify::without_room(groups))];
    }
    groups.iter().map(|(keys, change)| warning(keys, change)).collect()
}

fn warning(keys: &[&Key], change: &VerifyChange) -> String {
    let keys: Vec<String> = keys.iter().map(|key| code(key.as_str())).collect();
    let (fate, risk) = (verify::fate(change), sentence(change.risk()));
    let mut out = format!("**`verify` of {} {fate}:** {risk}", keys.join(", "));
    for (name, texts) in verify::rows(change) {
        let texts: Vec<String> = texts.iter().map(|text| code(text)).collect();
        put(&mut out, format_args!(" · {name} {}", texts.join(" ")));
    }
    out
}
