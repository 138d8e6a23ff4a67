//! From what is declared to what is live, step by step down the tree, so that only what differs is written.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::super::files::Files;
use super::super::lower::into_value;
use super::super::resolve::Opened;
use super::super::tree::{Kind, Node};
use super::super::yaml;
use super::place::{Hold, entries, habit, is_flow, items, locate, range};
use super::splice::Draft;
use super::write::{Form, block, inline};
use super::{Judge, Unfit, Want, file_behind, find, is_file_text, refuse_secrets, tag_inside};
use crate::diagnostics::{Diagnostics, FileId, Span};
use crate::manifest::expand::MAX_FILE;
use crate::model::FieldPath;

/// Lists beyond this many items are not compared item by item.
const LONGEST_COMPARED: usize = 400;

/// The edits that one value takes, by file.
pub(super) struct Change<'a> {
    files: &'a dyn Files,
    opened: &'a Opened,
    judge: &'a dyn Judge,
    drafts: BTreeMap<FileId, Draft<'a>>,
    roots: BTreeMap<FileId, Rc<[Node]>>,
    /// Files of text, which are written whole.
    texts: BTreeMap<String, String>,
}

impl<'a> Change<'a> {
    pub fn new(files: &'a dyn Files, opened: &'a Opened, judge: &'a dyn Judge) -> Self {
        Self { files, opened, judge, drafts: BTreeMap::new(), roots: BTreeMap::new(), texts: BTreeMap::new() }
    }

    /// Makes the edits and returns the files that differ.
    pub fn write(mut self, want: &Want<'_>) -> Result<BTreeMap<String, String>, Unfit> {
        let opened = self.opened;
        let (parent, last) = (want.path.parent().ok_or(Unfit::NotFound)?, want.path.last().ok_or(Unfit::NotFound)?);
        let map = find(&opened.root, &parent).ok_or(Unfit::NotFound)?;
        let entry = entries(map).iter().find(|entry| entry.key == last).ok_or(Unfit::NotFound)?;
        match want.live {
            Some(live) => {
                let declared = want.declared.cloned().unwrap_or_else(|| into_value(entry.value.clone()));
                self.change(&entry.value, want.path, &declared, live)?;
            }
            None => self.remove(want.path)?,
        }
        let mut out = self.texts;
        for (file, draft) in self.drafts {
            let text = draft.finish().ok_or(Unfit::Layout)?;
            out.insert(opened.sources.name(file).to_owned(), text);
        }
        Ok(out)
    }

    fn text(&self, file: FileId) -> &'a str {
        self.opened.sources.text(file)
    }

    fn draft(&mut self, file: FileId) -> &mut Draft<'a> {
        let sources = &self.opened.sources;
        self.drafts.entry(file).or_insert_with(|| Draft::new(sources.name(file), sources.text(file)))
    }

    /// The documents of a file as they are written, before any tag was followed.
    fn documents(&mut self, file: FileId) -> Rc<[Node]> {
        let text = self.text(file);
        let read = || {
            let mut problems = Diagnostics::new();
            yaml::parse(file, text, &mut problems).into_iter().map(|document| document.root).collect()
        };
        self.roots.entry(file).or_insert_with(read).clone()
    }

    /// Takes a path out of where it is declared. A map that it leaves empty stays as an empty one.
    fn remove(&mut self, path: &FieldPath) -> Result<(), Unfit> {
        let value = find(&self.opened.root, path).ok_or(Unfit::NotFound)?;
        self.remove_value(&value.span)
    }

    fn remove_value(&mut self, span: &Span) -> Result<(), Unfit> {
        let documents = self.documents(span.file);
        let Some(Hold::Entry(map, index)) = locate(&documents, span) else { return Err(Unfit::Layout) };
        if entries(map).len() > 1 {
            return self.draft(span.file).remove_entry(map, index);
        }
        self.put(&map.span, &Value::Object(Map::new()))
    }

    /// Writes whatever differs between what is declared and what is live.
    fn change(&mut self, node: &Node, path: &FieldPath, declared: &Value, live: &Value) -> Result<(), Unfit> {
        if self.judge.same(path, declared, live) {
            return Ok(());
        }
        if let Some(tag) = node.tag_name() {
            return Err(Unfit::Tag(tag.to_owned()));
        }
        match (declared, live, &node.kind) {
            (Value::Object(declared), Value::Object(live), Kind::Map(_)) if !declared.is_empty() => {
                self.change_map(node, path, declared, live)
            }
            (Value::Array(declared), Value::Array(live), Kind::List(_)) if !declared.is_empty() && !live.is_empty() => {
                self.change_list(node, path, declared, live)
            }
            _ => self.whole(node, path, live),
        }
    }

    fn change_map(
        &mut self,
        node: &Node,
        path: &FieldPath,
        declared: &Map<String, Value>,
        live: &Map<String, Value>,
    ) -> Result<(), Unfit> {
        for entry in entries(node) {
            let at = path.child(&entry.key);
            match (declared.get(&entry.key), live.get(&entry.key)) {
                (Some(declared), Some(live)) => {
                    self.change(&entry.value, &at, declared, live)?;
                }
                (Some(_), None) => self.remove_value(&entry.value.span)?,
                (None, _) => {}
            }
        }
        for (name, value) in live.iter().filter(|(name, _)| !declared.contains_key(*name)) {
            refuse_secrets(&path.child(name), value, self.judge)?;
            let last = entries(node).last().ok_or(Unfit::Layout)?;
            let span = &last.value.span;
            let documents = self.documents(span.file);
            let Some(Hold::Entry(map, _)) = locate(&documents, span) else { return Err(Unfit::Layout) };
            self.draft(span.file).add_entry(map, name, value)?;
        }
        Ok(())
    }

    fn change_list(&mut self, node: &Node, path: &FieldPath, declared: &[Value], live: &[Value]) -> Result<(), Unfit> {
        let nodes = items(node);
        if nodes.len() != declared.len() || declared.len().max(live.len()) > LONGEST_COMPARED {
            return self.whole(node, path, &Value::Array(live.to_vec()));
        }
        let pairs = pair(declared, live, &|a, b| self.judge.same(&path.index(0), a, b));
        let removals: Vec<usize> = (0..declared.len()).filter(|at| pairs.iter().all(|(a, _)| a != at)).collect();
        let inserts: Vec<(usize, &Value)> = live
            .iter()
            .enumerate()
            .filter(|(at, _)| pairs.iter().all(|(_, b)| b != at))
            .map(|(at, value)| {
                // Before the item that the next one of the live list is paired with.
                let next = pairs.iter().find(|(_, b)| *b > at).map_or(declared.len(), |(a, _)| *a);
                (next, value)
            })
            .collect();
        let list_span = node.span.clone();
        for (_, value) in &inserts {
            refuse_secrets(path, value, self.judge)?;
        }
        if let Some(tag) = removals.iter().filter_map(|at| nodes.get(*at)).find_map(|item| self.tag_of(item)) {
            return Err(Unfit::TagInside(tag));
        }
        let documents = self.documents(list_span.file);
        let raw = locate(&documents, &list_span).and_then(Hold::node).ok_or(Unfit::Layout)?;
        let flow = is_flow(self.text(list_span.file), raw);
        let json = self.draft(list_span.file).json;
        if flow && !(removals.is_empty() && inserts.is_empty()) {
            return self.rebuild(raw, path, declared, live, &pairs, json);
        }
        for (a, b) in &pairs {
            if let (Some(item), Some(declared), Some(live)) = (nodes.get(*a), declared.get(*a), live.get(*b)) {
                self.change(item, &path.index(*b), declared, live)?;
            }
        }
        if removals.is_empty() && inserts.is_empty() {
            return Ok(());
        }
        self.draft(list_span.file).change_block_list(raw, &removals, &inserts)
    }

    /// A list in brackets, written anew: what stays is copied as it was written.
    fn rebuild(
        &mut self,
        raw: &Node,
        path: &FieldPath,
        declared: &[Value],
        live: &[Value],
        pairs: &[(usize, usize)],
        json: bool,
    ) -> Result<(), Unfit> {
        let text = self.text(raw.span.file);
        let mut parts = Vec::with_capacity(live.len());
        for (b, value) in live.iter().enumerate() {
            let kept = pairs.iter().find(|(_, at)| *at == b).and_then(|(a, _)| {
                let is_same = self.judge.same(&path.index(b), declared.get(*a)?, value);
                Some((items(raw).get(*a)?, is_same))
            });
            match kept {
                Some((item, true)) => {
                    let range = range(text, item).ok_or(Unfit::Layout)?;
                    parts.push(text.get(range).unwrap_or_default().to_owned());
                }
                Some((item, false)) => {
                    if let Some(tag) = tag_inside(text, item) {
                        return Err(Unfit::TagInside(tag));
                    }
                    refuse_secrets(&path.index(b), value, self.judge)?;
                    parts.push(block(value, habit(text, item), 0, Form { json, flow: true }).head);
                }
                None => parts.push(inline(value, Form { json, flow: true })),
            }
        }
        self.draft(raw.span.file).rebuild_flow_list(raw, &parts)
    }

    /// Puts a value where another stood, whatever that was.
    fn whole(&mut self, node: &Node, path: &FieldPath, live: &Value) -> Result<(), Unfit> {
        refuse_secrets(path, live, self.judge)?;
        let is_from_file = is_file_text(self.text(node.span.file), node);
        if let (Value::String(live), true) = (live, is_from_file) {
            return self.write_text(node, live);
        }
        if !is_from_file && let Some(tag) = self.tag_of(node) {
            return Err(Unfit::TagInside(tag));
        }
        self.put(&node.span, live)
    }

    fn put(&mut self, span: &Span, value: &Value) -> Result<(), Unfit> {
        let documents = self.documents(span.file);
        let draft = self.draft(span.file);
        match locate(&documents, span).ok_or(Unfit::Layout)? {
            Hold::Document(root) => draft.replace_root(root, value),
            Hold::Entry(map, index) => draft.replace_entry(map, index, value),
            Hold::Item(list, index) => draft.replace_item(list, index, value),
        }
    }

    /// Writes a text into the file that it came from, with the line ends and the byte order mark that the file has.
    fn write_text(&mut self, node: &Node, live: &str) -> Result<(), Unfit> {
        let unnamed = || Unfit::Unreadable("the file behind `!file`".to_owned());
        let name = file_behind(self.files, &self.opened.sources, node).ok_or_else(unnamed)?;
        let bytes = self.files.read(&name, MAX_FILE).map_err(|_| Unfit::Unreadable(name.clone()))?;
        let before = String::from_utf8(bytes).map_err(|_| Unfit::Unreadable(name.clone()))?;
        let windows = before.matches("\r\n").count() * 2 > before.matches('\n').count();
        let mark = if before.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        let body = if windows { live.replace("\r\n", "\n").replace('\n', "\r\n") } else { live.to_owned() };
        self.texts.insert(name, format!("{mark}{body}"));
        Ok(())
    }

    fn tag_of(&self, node: &Node) -> Option<String> {
        tag_inside(self.text(node.span.file), node)
    }
}

/// Which item of the one list is which of the other, in order: the same value, the same name, or the same place between
/// two that are.
fn pair(declared: &[Value], live: &[Value], same: &dyn Fn(&Value, &Value) -> bool) -> Vec<(usize, usize)> {
    let (n, m) = (declared.len(), live.len());
    let alike: Vec<Vec<bool>> = declared
        .iter()
        .map(|a| live.iter().map(|b| same(a, b) || (name_of(a).is_some() && name_of(a) == name_of(b))).collect())
        .collect();
    // The longest run of pairs in order, by the usual table from the end.
    let mut longest = vec![vec![0_usize; m + 1]; n + 1];
    for a in (0..n).rev() {
        for b in (0..m).rev() {
            longest[a][b] =
                if alike[a][b] { longest[a + 1][b + 1] + 1 } else { longest[a + 1][b].max(longest[a][b + 1]) };
        }
    }
    let mut anchors = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < n && b < m {
        if alike[a][b] {
            anchors.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if longest[a + 1][b] >= longest[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    let mut pairs = Vec::new();
    let (mut from_a, mut from_b) = (0, 0);
    for (a, b) in anchors.into_iter().chain([(n, m)]) {
        // Between two pairs, what has no name of its own is taken as changed, one for one.
        let rest = (from_a..a).filter(|at| name_of(&declared[*at]).is_none());
        pairs.extend(rest.zip((from_b..b).filter(|at| name_of(&live[*at]).is_none())));
        if a < n {
            pairs.push((a, b));
        }
        (from_a, from_b) = (a + 1, b + 1);
    }
    pairs.sort_unstable();
    pairs
}

/// What a person would call an item by.
fn name_of(value: &Value) -> Option<&str> {
    ["id", "name", "key"].into_iter().find_map(|name| value.get(name)?.as_str())
}
