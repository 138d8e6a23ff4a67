//! Several named texts in one input, so that a seed can be a whole project or a whole conversation and stay legible.

/// A line that begins so begins a section.
const HEAD: &[u8] = b"=== ";

/// One section: what stands behind its mark, and its bytes up to the next mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What the line says behind the mark.
    pub head: String,
    /// The lines below it, whatever they hold.
    pub body: Vec<u8>,
}

/// The sections of an input. Bytes before the first mark are one section without a head.
pub fn split(input: &[u8]) -> Vec<Section> {
    let mut sections = vec![Section { head: String::new(), body: Vec::new() }];
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        if let Some(head) = line.strip_prefix(HEAD) {
            let head = String::from_utf8_lossy(head.trim_ascii()).into_owned();
            sections.push(Section { head, body: Vec::new() });
        } else if let Some(last) = sections.last_mut() {
            last.body.extend_from_slice(line);
        }
    }
    if sections[0].body.is_empty() && sections.len() > 1 {
        sections.remove(0);
    }
    sections
}

/// An input of sections, as [`split`] reads it.
pub fn join(sections: &[Section]) -> Vec<u8> {
    let mut out = Vec::new();
    for Section { head, body } in sections {
        if !head.is_empty() {
            out.extend_from_slice(HEAD);
            out.extend_from_slice(head.as_bytes());
            out.push(b'\n');
        }
        out.extend_from_slice(body);
        if !body.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out
}
