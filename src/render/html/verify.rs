//! What becomes of a `verify`, among what nobody may overlook.

use super::escape::{code, put, sentence, text};
use crate::model::Key;
use crate::plan::{Plan, VerifyChange};
use crate::render::ladder::{Rows, Rung};
use crate::render::verify;

/// The lines for all agents of which it changes. Where there is no room for anything but totals, one says so.
pub(super) fn lines(plan: &Plan, rung: &Rung) -> Vec<String> {
    let groups = verify::of_plan(plan);
    if rung.rows == Rows::Totals && !groups.is_empty() {
        return vec![format!("<strong>{} changes</strong> {}.", code("verify"), text(&verify::without_room(&groups)))];
    }
    groups.into_iter().map(|(keys, change)| line(&keys, change)).collect()
}

fn line(keys: &[&Key], change: &VerifyChange) -> String {
    let keys: Vec<String> = keys.iter().map(|key| code(key.as_str())).collect();
    let (fate, risk) = (verify::fate(change), sentence(change.risk()));
    let mut out = format!("<strong>{} of {} {fate}:</strong> {risk}", code("verify"), keys.join(", "));
    for (name, texts) in verify::rows(change) {
        let texts: Vec<String> = texts.iter().map(|text| code(text)).collect();
        put(&mut out, format_args!("<br />{name} {}", texts.join(" ")));
    }
    out
}
