//! The texts that problems point into.

use std::ops::Range;

/// One text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(usize);

/// A range of bytes in one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Makes a span.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        Self { file, start: range.start, end: range.end.max(range.start) }
    }
}

/// A place as people count: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

#[derive(Clone, Debug)]
struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

/// All texts of a run, each under the name that messages use: the path relative to the project.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.files.push(SourceFile { name: name.into(), text, line_starts });
        FileId(self.files.len() - 1)
    }

    /// The name of a text.
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |file| &file.name)
    }

    /// A text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |file| &file.text)
    }

    /// Where a byte is. A place past the end is the end, and one inside a character is its start.
    pub fn position(&self, file: FileId, byte: usize) -> Position {
        let Some(file) = self.files.get(file.0) else { return Position { line: 1, column: 1 } };
        let byte = snap(&file.text, byte);
        let line = file.line_starts.partition_point(|start| *start <= byte).max(1);
        let start = file.line_starts.get(line - 1).copied().unwrap_or(0);
        let column = file.text.get(start..byte).map_or(1, |text| text.chars().count() + 1);
        Position { line, column }
    }

    /// The span, clamped to the text and snapped to whole characters, so that no renderer can be made to panic.
    pub fn clamp(&self, span: &Span) -> Range<usize> {
        let text = self.text(span.file);
        let start = snap(text, span.start);
        start..snap(text, span.end).max(start)
    }
}

fn snap(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_never_leave_the_text() {
        let mut map = SourceMap::default();
        let file = map.add("a.yaml", "a: ä\nb: 你好\n");
        assert_eq!(map.position(file, 0), Position { line: 1, column: 1 });
        assert_eq!(map.position(file, 4), Position { line: 1, column: 4 });
        assert_eq!(map.position(file, 9), Position { line: 2, column: 4 });
        assert_eq!(map.position(file, 999), Position { line: 3, column: 1 });
        assert_eq!(map.clamp(&Span::new(file, 4..999)), 3..map.text(file).len());
    }
}
