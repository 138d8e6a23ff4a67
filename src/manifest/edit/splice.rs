//! Edits of one text: what goes in place of which bytes, all else left byte by byte as it is.

use std::ops::Range;

use serde_json::Value;

use super::super::tree::Node;
use super::Unfit;
use super::place::{
    behind_colon, column, dash, entries, habit, is_first_on_line, is_flow, items, line_end, line_start, next_line,
    range,
};
use super::write::{Form, STEP, Written, block, entry_lines, inline, item_lines, key};

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub range: Range<usize>,
    pub text: String,
}

/// A text with the edits that are made to it.
pub(super) struct Draft<'t> {
    pub text: &'t str,
    pub json: bool,
    pub splices: Vec<Splice>,
}

impl<'t> Draft<'t> {
    pub fn new(file: &str, text: &'t str) -> Self {
        Self { text, json: super::super::files::has_extension(file, &["json"]), splices: Vec::new() }
    }

    fn form(&self, container: &Node) -> Form {
        Form { json: self.json, flow: self.json || is_flow(self.text, container) }
    }

    fn put(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.splices.push(Splice { range, text: text.into() });
    }

    /// The text with all edits made; `None` where two of them meet.
    pub fn finish(mut self) -> Option<String> {
        self.splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let line_feeds = self.text.matches('\n').count();
        let windows = self.text.matches("\r\n").count() * 2 > line_feeds;
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut at = 0;
        for Splice { range, text } in &self.splices {
            if range.start < at {
                return None;
            }
            out.push_str(self.text.get(at..range.start)?);
            out.push_str(&if windows { text.replace('\n', "\r\n") } else { text.clone() });
            at = range.end;
        }
        out.push_str(self.text.get(at..)?);
        Some(out)
    }

    /// Puts a value in place of that of an entry.
    pub fn replace_entry(&mut self, container: &Node, index: usize, value: &Value) -> Result<(), Unfit> {
        let entry = entries(container).get(index).ok_or(Unfit::Layout)?;
        let form = self.form(container);
        let colon = behind_colon(self.text, &entry.key_span).ok_or(Unfit::Layout)?;
        let indent = column(self.text, entry.key_span.start) + STEP;
        self.replace(&entry.value, colon, indent, form, value)
    }

    /// Puts a value in place of an item of a list.
    pub fn replace_item(&mut self, container: &Node, index: usize, value: &Value) -> Result<(), Unfit> {
        let item = items(container).get(index).ok_or(Unfit::Layout)?;
        let form = self.form(container);
        if form.flow {
            let range = range(self.text, item).ok_or(Unfit::Layout)?;
            let text = block(value, habit(self.text, item), 0, form).head;
            self.put(range, text);
            return Ok(());
        }
        let dash = dash(self.text, item).ok_or(Unfit::Layout)?;
        let indent = column(self.text, dash) + STEP;
        if let Value::Object(_) | Value::Array(_) = value {
            let lines = item_lines(value, column(self.text, dash), form);
            let range = range(self.text, item).ok_or(Unfit::Layout)?;
            self.put(dash..range.end, lines.join("\n").trim_start().to_owned());
            return Ok(());
        }
        self.replace(item, dash + 1, indent, form, value)
    }

    /// Puts a value in place of the only one of a file.
    pub fn replace_root(&mut self, root: &Node, value: &Value) -> Result<(), Unfit> {
        let form = Form { json: self.json, flow: self.json || is_flow(self.text, root) };
        let range = range(self.text, root).ok_or(Unfit::Layout)?;
        let Written { head, lines } = block(value, habit(self.text, root), 0, form);
        if head.is_empty() {
            self.put(range, lines.join("\n"));
            return Ok(());
        }
        if !lines.is_empty() {
            return Err(Unfit::Layout);
        }
        self.put(range, head);
        Ok(())
    }

    /// `start` is behind the colon or the dash.
    fn replace(&mut self, old: &Node, start: usize, indent: usize, form: Form, value: &Value) -> Result<(), Unfit> {
        let text = self.text;
        let was = range(text, old).ok_or(Unfit::Layout)?;
        let habit = habit(text, old);
        let Written { head, lines } = block(value, habit, indent, form);
        if form.flow {
            if was.is_empty() {
                self.put(start..start, format!(" {head}"));
            } else {
                self.put(was, head);
            }
            return Ok(());
        }
        let between = text.get(start..was.start.max(start)).ok_or(Unfit::Layout)?;
        let is_block_text = old.style == super::super::tree::Style::Block;
        let is_below = between.contains('\n');
        // A comment on the line of the key or the dash stays there, whatever the value becomes.
        let comment = if is_block_text {
            comment_behind(text, was.start)
        } else if is_below {
            between.lines().next().unwrap_or_default().trim().to_owned()
        } else {
            comment_behind(text, was.end)
        };
        if head.is_empty() && is_below && !is_block_text {
            // A block in place of a block: it stands where the other stood, comments above it included.
            let at = column(text, was.start);
            let Written { lines, .. } = block(value, habit, at, form);
            self.put(was, lines.join("\n").trim_start().to_owned());
            return Ok(());
        }
        if head.is_empty() || !lines.is_empty() || is_block_text || is_below {
            let mut first = if head.is_empty() { String::new() } else { format!(" {head}") };
            if !comment.is_empty() {
                first = format!("{first}  {comment}");
            }
            // What stands before the value on its line, as an anchor, stays.
            let from = if is_below { start } else { start + between.trim_end().len() };
            let end = if is_block_text || is_below { was.end } else { line_end(text, was.end).max(was.end) };
            let rest: String = lines.iter().map(|line| format!("\n{line}")).collect::<Vec<_>>().concat();
            self.put(from..end, format!("{first}{rest}"));
            return Ok(());
        }
        if was.is_empty() || was.start < start {
            self.put(start..start, format!(" {head}"));
        } else {
            self.put(was, head);
        }
        Ok(())
    }

    /// Adds an entry behind the last one.
    pub fn add_entry(&mut self, container: &Node, name: &str, value: &Value) -> Result<(), Unfit> {
        let form = self.form(container);
        let Some(last) = entries(container).last() else { return Err(Unfit::Layout) };
        let end = range(self.text, &last.value).ok_or(Unfit::Layout)?.end.max(last.key_span.end);
        if form.flow {
            let end = end.max(behind_colon(self.text, &last.key_span).unwrap_or(end));
            self.put(end..end, format!(", {}: {}", key(name, form), inline(value, form)));
            return Ok(());
        }
        let first = entries(container).first().ok_or(Unfit::Layout)?;
        let lines = entry_lines(name, value, column(self.text, first.key_span.start), form);
        let at = line_end(self.text, end);
        self.put(at..at, format!("\n{}", lines.join("\n")));
        Ok(())
    }

    /// Takes an entry out. The last one of a map leaves the map empty, which is for the caller to see to.
    pub fn remove_entry(&mut self, container: &Node, index: usize) -> Result<(), Unfit> {
        let all = entries(container);
        let entry = all.get(index).ok_or(Unfit::Layout)?;
        let end = range(self.text, &entry.value).ok_or(Unfit::Layout)?.end.max(entry.key_span.end);
        let start = entry.key_span.start;
        if all.len() < 2 {
            return Err(Unfit::Layout);
        }
        if !self.form(container).flow && is_first_on_line(self.text, start) {
            self.remove_lines(start, end);
            return Ok(());
        }
        match (all.get(index + 1), index.checked_sub(1).and_then(|before| all.get(before))) {
            (Some(next), _) => self.put(start..next.key_span.start, ""),
            (None, Some(before)) => {
                let before = range(self.text, &before.value).ok_or(Unfit::Layout)?.end.max(before.key_span.end);
                self.put(before..end, "");
            }
            (None, None) => return Err(Unfit::Layout),
        }
        Ok(())
    }

    fn remove_lines(&mut self, start: usize, end: usize) {
        let from = line_start(self.text, start);
        let to = next_line(self.text, end);
        // Without a line below, the line feed above goes.
        if to == self.text.len() && !self.text.ends_with('\n') && from > 0 {
            self.put(from - 1..to, "");
        } else {
            self.put(from..to, "");
        }
    }

    /// Takes items out of a block list and puts others in. `inserts` are values before the item of an index.
    pub fn change_block_list(
        &mut self,
        container: &Node,
        removals: &[usize],
        inserts: &[(usize, &Value)],
    ) -> Result<(), Unfit> {
        let form = self.form(container);
        let all = items(container);
        let first = all.first().ok_or(Unfit::Layout)?;
        let first_dash = dash(self.text, first).ok_or(Unfit::Layout)?;
        if !is_first_on_line(self.text, first_dash) {
            return Err(Unfit::Layout);
        }
        let indent = column(self.text, first_dash);
        for index in removals {
            let item = all.get(*index).ok_or(Unfit::Layout)?;
            let from = dash(self.text, item).ok_or(Unfit::Layout)?;
            let end = range(self.text, item).ok_or(Unfit::Layout)?.end;
            self.remove_lines(from, end);
        }
        let mut behind = String::new();
        for (index, value) in inserts {
            let lines = item_lines(value, indent, form).join("\n");
            if let Some(item) = all.get(*index) {
                let at = line_start(self.text, dash(self.text, item).ok_or(Unfit::Layout)?);
                self.put(at..at, format!("{lines}\n"));
            } else {
                behind.push('\n');
                behind.push_str(&lines);
            }
        }
        if !behind.is_empty() {
            let last = all.last().ok_or(Unfit::Layout)?;
            let end = line_end(self.text, range(self.text, last).ok_or(Unfit::Layout)?.end);
            if removals.contains(&(all.len() - 1)) {
                // The last line goes, with its line feed, so what comes stands in its place.
                let at = next_line(self.text, end);
                let line_feed = if at > end { "\n" } else { "" };
                self.put(at..at, format!("{}{line_feed}", behind.trim_start_matches('\n')));
            } else {
                self.put(end..end, behind);
            }
        }
        Ok(())
    }

    /// Writes a list in brackets anew: each item as it was, or another text.
    pub fn rebuild_flow_list(&mut self, container: &Node, parts: &[String]) -> Result<(), Unfit> {
        let all = items(container);
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Err(Unfit::Layout) };
        let start = range(self.text, first).ok_or(Unfit::Layout)?.start;
        let end = range(self.text, last).ok_or(Unfit::Layout)?.end;
        let separator = match all.get(1) {
            Some(second) => {
                let second = range(self.text, second).ok_or(Unfit::Layout)?.start;
                let first = range(self.text, first).ok_or(Unfit::Layout)?.end;
                self.text.get(first..second).unwrap_or(", ").to_owned()
            }
            None => ", ".to_owned(),
        };
        let inside = self.text.get(start..end).ok_or(Unfit::Layout)?;
        let is_commented = inside.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"));
        if is_commented || separator.contains('#') {
            return Err(Unfit::Layout);
        }
        self.put(start..end, parts.join(&separator));
        Ok(())
    }
}

/// The comment that follows on the line of a byte, where nothing else stands before it.
fn comment_behind(text: &str, at: usize) -> String {
    let rest = text.get(at..line_end(text, at).max(at)).unwrap_or_default();
    match rest.find(" #") {
        Some(found) => rest.get(found + 1..).unwrap_or_default().to_owned(),
        None => String::new(),
    }
}
