//! What goes wrong with texts on their way into a config: a `!file` that was forgotten, a merge that was not finished, a
//! pointer in place of a prompt.

use super::codes;
use super::files::{beside, has_extension, normalize};
use super::session::Session;
use super::suggest::nearest;
use crate::diagnostics::{Diagnostic, Span};

/// How the pointer of Git LFS begins.
const LFS: &str = "version https://git-lfs.github.com/spec/";

/// Endings of files that `!file` reads.
const READABLE: [&str; 5] = ["md", "txt", "yaml", "yml", "json"];

impl Session<'_> {
    /// Looks at a text of a config that stands in a manifest.
    pub fn check_text(&mut self, text: &str, span: &Span) {
        if text.contains('\0') {
            let message = "the text holds the character U+0000, which no service stores";
            self.report(Diagnostic::error(codes::NUL_CHARACTER, message).span(span.clone()));
        }
        let may_be_path =
            !text.contains(char::is_whitespace) && !text.contains("://") && has_extension(text, &READABLE);
        let from = self.sources.name(span.file);
        if may_be_path && self.files.follow(&beside(from, &text.replace('\\', "/"))).is_ok() {
            let path = text.replace('\\', "/");
            let message = format!("this is the text `{text}`, not the content of the file with that name");
            let problem = Diagnostic::warning(codes::FORGOTTEN_FILE, message).span(span.clone());
            self.report(problem.fix(span.clone(), format!("!file {path}"), format!("write `!file {path}`")));
        }
    }

    /// Looks at the text of a file before it is taken; `false` where it is not what its author meant.
    pub fn check_file(&mut self, name: &str, text: &str, span: &Span) -> bool {
        let problem = if text.starts_with(LFS) {
            let message = format!("`{name}` is a Git LFS pointer, not the file itself");
            Diagnostic::error(codes::LFS_POINTER, message)
                .hint("fetch it: git lfs pull (in a workflow, `lfs: true` of `actions/checkout`)")
        } else if let Some(line) = conflict(text) {
            let message = format!("`{name}` holds a conflict marker of an unfinished merge, in line {line}");
            Diagnostic::error(codes::CONFLICT_MARKERS, message)
                .hint("keep what is right, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`")
        } else if let Some(at) = text.find('\0') {
            let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            let message = format!("`{name}` holds the character U+0000, in line {line}");
            Diagnostic::error(codes::NUL_CHARACTER, message).hint("no service stores it; it may be a damaged file")
        } else {
            return true;
        };
        self.report(problem.span(span.clone()));
        false
    }

    /// What a path that leads nowhere was probably meant to be, as it is to be written.
    pub fn nearest_file(&self, from: &str, path: &str) -> Option<String> {
        let path = path.replace('\\', "/");
        if self.files.follow(&beside(from, &path)).is_ok() {
            return Some(path);
        }
        let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
        let listed = self.files.list(&normalize(&beside(from, folder))?).ok()?;
        let names: Vec<&str> = listed.iter().filter_map(|file| file.path.rsplit('/').next()).collect();
        let same = names.iter().find(|known| known.to_lowercase() == name.to_lowercase()).copied();
        let meant = same.or_else(|| nearest(name, names.iter().copied()))?;
        let meant = if folder.is_empty() { meant.to_owned() } else { format!("{folder}/{meant}") };
        // A name in a folder below is none of this one.
        self.files.follow(&beside(from, &meant)).is_ok().then_some(meant)
    }
}

/// The line of the first marker of a merge, where all three kinds follow each other.
fn conflict(text: &str) -> Option<usize> {
    let mut begun = None;
    let mut is_split = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("<<<<<<< ") {
            (begun, is_split) = (Some(index + 1), false);
        } else if line == "=======" {
            is_split = begun.is_some();
        } else if line.starts_with(">>>>>>> ") && is_split {
            return begun;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::conflict;

    #[test]
    fn a_merge_has_all_three_markers_in_their_order() {
        assert_eq!(conflict("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n"), Some(2));
        for text in ["a\n=======\nb", "<<<<<<< a\n>>>>>>> b", "Title\n=======\n>>>>>>> quoted", ""] {
            assert_eq!(conflict(text), None, "{text}");
        }
    }
}
