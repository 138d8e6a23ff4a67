//! A comment that cites the design or the contract leads to a heading of it.

use std::collections::BTreeSet;

use super::{files, read, shown};

/// `3` and `9.1` of `## 3. The stamp` and `### 9.1 Phone numbers`.
fn sections(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let headings = text.lines().filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")));
    headings
        .map(|heading| heading.split(' ').next().unwrap_or_default().trim_end_matches('.').to_owned())
        .filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        .collect()
}

/// Every citation of a text, such as `design, section 3`, also where the line breaks in between.
fn cited(text: &str) -> Vec<(&'static str, String)> {
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| !matches!(*word, "//" | "///" | "//!" | "#")).collect();
    words
        .windows(3)
        .filter_map(|three| {
            let document = match three[0].trim_start_matches(['(', '`']) {
                "design," => "docs/design.md",
                "contract," => "docs/contract.md",
                _ => return None,
            };
            let number: String = three[2].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            (three[1] == "section" && !number.is_empty()).then(|| (document, number.trim_end_matches('.').to_owned()))
        })
        .collect()
}

#[test]
fn every_citation_in_a_comment_leads_to_a_heading() {
    let known = [("docs/design.md", sections("docs/design.md")), ("docs/contract.md", sections("docs/contract.md"))];
    assert!(known.iter().all(|(_, sections)| sections.len() >= 14), "{known:?}");
    let (mut seen, mut lost) = (0, Vec::new());
    for path in ["src", "tests", "benches", "fuzz/fuzz_targets"].iter().flat_map(|folder| files(folder, "rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (document, number) in cited(&text) {
            seen += 1;
            let (_, sections) = known.iter().find(|(name, _)| *name == document).unwrap();
            if !sections.contains(&number) {
                lost.push(format!("{}: {document} has no section `{number}`", shown(&path)));
            }
        }
    }
    assert!(seen >= 60, "{seen} citations: are they written in another way?");
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn a_citation_is_seen_across_a_line_break_and_with_its_subsection() {
    let text = "/// Never sent (contract,\n    /// section 9.3). Equality (design, section 5: equality).";
    assert_eq!(cited(text), [("docs/contract.md", "9.3".to_owned()), ("docs/design.md", "5".to_owned())]);
    assert!(sections("docs/contract.md").contains("9.3") && !sections("docs/contract.md").contains("99"));
}
