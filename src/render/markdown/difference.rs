//! The difference of two states of the manifests as a comment: what a pull request of a stranger gets, for which the
//! service is not asked.

use super::comment::marker;
use super::escape::{code, html_code, link, sentence};
use super::fields::{self, block, cell, list_cell};
use super::{Body, CommentContext, verify};
use crate::model::Key;
use crate::plan::FieldChange;
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference};
use crate::render::json::difference_digest;
use crate::render::ladder::{Details, Rows, Rung, fit};
use crate::render::put::put;
use crate::render::values::{Change, plural};
use crate::render::verify::{fate, groups};
use crate::render::words;

/// Up to so many manifests, all details stand open.
const OPEN_DETAILS: usize = 3;
type Told<'d> = (&'d ManifestDifference, Vec<(&'d FieldChange, Change)>);

/// Which job compared the files, and so how far what it says is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// The one that tells.
    ThisJob,
    /// That of a fork's pull request: it can say whatever it likes.
    Fork,
    /// Another one, whose document is as little known.
    OtherJob,
}

impl Maker {
    fn headline(self) -> &'static str {
        match self {
            Self::ThisJob => "Agents difference",
            Self::Fork => "Offline difference of a fork, the service was not asked",
            Self::OtherJob => "Offline difference of another job, the service was not asked",
        }
    }

    fn note(self) -> &'static str {
        match self {
            Self::ThisJob => words::OFFLINE,
            Self::Fork | Self::OtherJob => {
                "Offline: this is what a job of the pull request says of its own files, and nothing here was checked. \
                 Review the changed files. The service was not asked, and what is live may differ."
            }
        }
    }
}

/// The body of the comment.
pub fn difference_comment(difference: &Difference, maker: Maker, context: &CommentContext) -> Body {
    let told: Vec<Told<'_>> = difference
        .manifests
        .iter()
        .map(|manifest| {
            let of = |field: &FieldChange| Change::of(&field.before, &field.after);
            (manifest, manifest.fields.iter().map(|field| (field, of(field))).collect())
        })
        .collect();
    fit(context.max_bytes, |rung| write(difference, maker, &told, context, rung)).into()
}

fn write(difference: &Difference, maker: Maker, told: &[Told<'_>], context: &CommentContext, rung: &Rung) -> String {
    let hash = difference_digest(difference);
    let mut out = marker("diff", hash.as_str(), context, difference.head.commit.as_deref());
    let counts: Vec<String> = [(Fate::Removed, "removed"), (Fate::Changed, "changed"), (Fate::Added, "added")]
        .into_iter()
        .map(|(fate, word)| (difference.count(fate), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let counts = if counts.is_empty() { "no difference".to_owned() } else { counts.join(", ") };
    let environment = code(&difference.environment);
    let headline = maker.headline();
    put(&mut out, format_args!("### {headline} · {environment} — {counts} · {} the same\n", difference.same));
    let short = |commit: &str| code(&commit.chars().take(7).collect::<String>());
    let mut parts = vec![format!("Base {} {}", code(&difference.base.name), short(&difference.base.commit))];
    if let Some(commit) = context.commit.as_deref().or(difference.head.commit.as_deref()) {
        parts.push(format!("commit {}", short(commit)));
    }
    parts.push(code(&difference.project));
    parts.extend(context.run_url.as_deref().and_then(|url| link("run", url)));
    put(&mut out, format_args!("{}\n\n> [!NOTE]\n> {}\n\n", parts.join(" · "), maker.note()));
    let becomes = difference.manifests.iter().filter_map(|it| Some((&it.key, it.verify.as_ref()?)));
    let warnings = verify::warnings(&groups(becomes), rung);
    if !warnings.is_empty() {
        put(&mut out, format_args!("> [!WARNING]\n> {}\n\n", warnings.join("\n>\n> ")));
    }
    for notice in difference.notices.iter().take(fields::LIST_SHOWN) {
        put(&mut out, format_args!("- {}\n", sentence(notice)));
    }
    if !difference.notices.is_empty() {
        out.push('\n');
    }
    let named = |manifest: &ManifestDifference| match rung.rows {
        Rows::All => true,
        Rows::Names => manifest.fate == Fate::Removed,
        Rows::Totals => false,
    };
    let rows: Vec<&Told<'_>> = told.iter().filter(|(manifest, _)| named(manifest)).collect();
    if !rows.is_empty() {
        out.push_str("| | Agent | What changes |\n|:-:|---|---|\n");
        for (manifest, fields) in rows {
            let what = match (manifest.fate, &manifest.moved_from) {
                (Fate::Added, _) => "new manifest".to_owned(),
                (Fate::Removed, _) => "**removed**".to_owned(),
                (Fate::Changed, Some(old)) => {
                    format!("was {}, {}", code(old.as_str()), plural(fields.len(), "value", "values"))
                }
                (Fate::Changed, None) => plural(fields.len(), "value", "values"),
            };
            let becomes = manifest.verify.as_ref().map(|becomes| format!(", **`verify` {}**", fate(becomes)));
            let what = format!("{what}{}", becomes.unwrap_or_default());
            put(
                &mut out,
                format_args!("| {} | {} | {what} |\n", code(manifest.fate.symbol()), code(manifest.key.as_str())),
            );
        }
        out.push('\n');
    }
    if rung.rows == Rows::All {
        numbers(&mut out, &difference.numbers);
    }
    if rung.details == Details::All {
        for entry in told {
            details(&mut out, entry, told.len() <= OPEN_DETAILS, rung);
        }
    }
    if let Some(missing) = rung.missing {
        put(&mut out, format_args!("> [!NOTE]\n> Shortened to fit: {missing}.\n\n"));
    }
    put(&mut out, format_args!("<sub>{}</sub>\n", words::difference_line(difference)));
    out
}

fn details(out: &mut String, (manifest, fields): &Told<'_>, open: bool, rung: &Rung) {
    if fields.is_empty() {
        return;
    }
    let mut rows = String::new();
    let mut blocks = String::new();
    for (field, change) in fields {
        let (before, after) = match change {
            Change::Simple { before: _, after, delta: _ } if manifest.fate == Fate::Added => {
                (String::new(), cell(after))
            }
            Change::Simple { before, after, delta: _ } => (cell(before), cell(after)),
            Change::Note(note) => (String::new(), note.clone()),
            Change::List(list) => (String::new(), list_cell(list)),
            Change::Fields(fields) => (String::new(), plural(fields.len(), "value changes", "values change")),
            Change::NewText(_) => (String::new(), "new text, below".to_owned()),
            Change::Prose(_) => (String::new(), "see below".to_owned()),
        };
        put(&mut rows, format_args!("| {} | {before} | {after} |\n", code(&field.path.to_string())));
        blocks.push_str(&block(&field.path.to_string(), change, rung));
    }
    let open = if open { " open" } else { "" };
    let place = html_code(&format!("{}:{}", manifest.origin.file, manifest.origin.line));
    put(
        out,
        format_args!(
            "<details{open}><summary>{} · {place}</summary>\n\n| Field | Before | After |\n|---|---|---|\n{rows}\n{}\n\n</details>\n\n",
            html_code(&format!("agent.{}", manifest.key)),
            blocks.trim_end()
        ),
    );
}

fn numbers(out: &mut String, numbers: &[ClaimDifference]) {
    if numbers.is_empty() {
        return;
    }
    let name = |key: &Option<Key>| key.as_ref().map_or_else(|| "(no manifest)".to_owned(), |key| code(key.as_str()));
    out.push_str("| Phone number | Slot | From | To |\n|---|---|---|---|\n");
    for ClaimDifference { number, direction, from, to } in numbers {
        put(out, format_args!("| {} | {direction} | {} | {} |\n", code(number.as_str()), name(from), name(to)));
    }
    out.push('\n');
}
