//! What goes wrong with texts on their way into a config: a `!file` that was forgotten, a merge that was not finished, a
//! pointer in place of a prompt.

use std::ops::Range;

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
        if let Some(marker) = conflict(text) {
            let message = "the text holds a conflict marker of an unfinished merge";
            self.report(marker.problem(message.to_owned()).span(span.clone()));
        }
        let may_be_path =
            !text.contains(char::is_whitespace) && !text.contains("://") && has_extension(text, &READABLE);
        if !may_be_path {
            return;
        }
        let from = self.sources.name(span.file);
        let written = text.replace('\\', "/");
        // People write the path as `!file` takes it, or as they see it from the project's folder.
        let from_root = || {
            let depth = from.matches('/').count();
            let below = written.strip_prefix("./").unwrap_or(&written);
            (!below.starts_with('.')).then(|| format!("{}{below}", "../".repeat(depth)))
        };
        let found = std::iter::once(written.clone()).chain(from_root());
        let path = { found }.find(|path| self.files.follow(&beside(from, path)).is_ok());
        if let Some(path) = path {
            let message = format!("this is the text `{text}`, not the content of the file with that name");
            let problem = Diagnostic::warning(codes::FORGOTTEN_FILE, message).span(span.clone());
            self.report(problem.fix(span.clone(), format!("!file {path}"), format!("write `!file {path}`")));
        }
    }

    /// Looks at the text of a file before it is taken; `false` where it is not what its author meant.
    pub fn check_file(&mut self, name: &str, text: &str, span: &Span) -> bool {
        let problem = if let Some(problem) = lfs_pointer(name, text) {
            problem
        } else if let Some(marker) = conflict(text).filter(|marker| marker.is_whole) {
            // A single one is looked at where the text is used.
            let line = line_of(text, marker.at.start);
            marker.problem(format!("`{name}` holds a conflict marker of an unfinished merge, in line {line}"))
        } else if let Some(at) = text.find('\0') {
            let line = line_of(text, at);
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

/// The problem of a file that is only the pointer to its content.
pub fn lfs_pointer(name: &str, text: &str) -> Option<Diagnostic> {
    text.starts_with(LFS).then(|| {
        let message = format!("`{name}` is a Git LFS pointer, not the file itself");
        Diagnostic::error(codes::LFS_POINTER, message)
            .hint("fetch it: git lfs pull (in a workflow, `lfs: true` of `actions/checkout`)")
    })
}

/// The number of the line that a byte is in, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(1, |before| before.matches('\n').count() + 1)
}

/// What a merge that was not finished left in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The bytes of its first marker.
    pub at: Range<usize>,
    /// Whether all three kinds follow each other. A single one is more likely a leftover than a quotation, but may be
    /// meant.
    pub is_whole: bool,
}

impl Marker {
    /// An error, or a warning for a single marker.
    pub fn problem(&self, message: String) -> Diagnostic {
        let problem = if self.is_whole {
            Diagnostic::error(codes::CONFLICT_MARKERS, message)
        } else {
            Diagnostic::warning(codes::CONFLICT_MARKERS, message)
        };
        problem.hint("keep what is right, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`")
    }
}

/// The first marker of a merge in a text, which may be indented with the block that holds it.
pub fn conflict(text: &str) -> Option<Marker> {
    let mut single: Option<Range<usize>> = None;
    let mut begun: Option<Range<usize>> = None;
    let mut is_split = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let marker = line.trim();
        let at = start..start + line.trim_end().len();
        start += line.len();
        if marker.starts_with("<<<<<<< ") {
            single.get_or_insert(at.clone());
            (begun, is_split) = (Some(at), false);
        } else if marker == "=======" {
            is_split = begun.is_some();
        } else if marker.starts_with(">>>>>>> ") {
            if let (Some(at), true) = (&begun, is_split) {
                return Some(Marker { at: at.clone(), is_whole: true });
            }
            single.get_or_insert(at);
        }
    }
    single.map(|at| Marker { at, is_whole: false })
}

#[cfg(test)]
mod tests {
    use super::conflict;

    #[test]
    fn a_merge_has_all_three_markers_in_their_order_and_a_single_one_is_a_leftover() {
        let whole = conflict("a\n  <<<<<<< HEAD\n  b\n  =======\n  c\n  >>>>>>> other\n").unwrap();
        assert!(whole.is_whole && whole.at == (2..16), "{whole:?}");
        for text in ["<<<<<<< a\n>>>>>>> b", "a\n>>>>>>> branch\n", "<<<<<<< HEAD\nb\n"] {
            assert!(!conflict(text).unwrap().is_whole, "{text}");
        }
        for text in ["a\n=======\nb", "Title\n=======\n>> quoted", ""] {
            assert_eq!(conflict(text), None, "{text}");
        }
    }
}
