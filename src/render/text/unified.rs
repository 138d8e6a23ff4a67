//! A file before and after, as `diff -u` shows it.

use std::fmt;

use similar::{ChangeTag, TextDiff};

use super::TextOptions;
use crate::render::visible;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The difference of two states of a file; nothing where there is none.
pub fn unified_diff(name: &str, before: &str, after: &str, options: &TextOptions) -> String {
    let styles = &options.styles;
    let diff = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if out.is_empty() {
            let name = visible::one_line(name);
            put(
                &mut out,
                format_args!("{}--- a/{name}\n+++ b/{name}{}\n", styles.strong, styles.strong.render_reset()),
            );
        }
        let header = hunk.header().to_string();
        put(&mut out, format_args!("{}{}{}\n", styles.hunk, header.trim_end(), styles.hunk.render_reset()));
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', styles.removed),
                ChangeTag::Insert => ('+', styles.added),
                ChangeTag::Equal => (' ', styles.dim),
            };
            let line = change.value();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = visible::one_line(line.strip_suffix('\r').unwrap_or(line));
            put(&mut out, format_args!("{style}{sign}{line}{}\n", style.render_reset()));
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _written = fmt::Write::write_fmt(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_between_its_neighbours_and_escapes_are_shown() {
        let diff = unified_diff("a.yaml", "a\nb\nc\n", "a\nB\u{1b}[2J\nc\n", &TextOptions::default());
        assert_eq!(diff, "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,3 +1,3 @@\n a\n-b\n+B␛[2J\n c\n");
        assert_eq!(unified_diff("a", "x\n", "x\n", &TextOptions::default()), "");
    }
}
