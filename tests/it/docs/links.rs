//! Every page is in the table of contents, and every link leads somewhere, also to a heading.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files, pages, read, root, shown};

/// The targets of `[text](target)` outside of blocks of code.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let code_free: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("");
    let targets = code_free.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.collect()
}

/// The names under which the headings of a page can be reached, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim()));
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let (mut seen, mut lost) = (0, Vec::new());
    for page in pages() {
        let text = read(&page);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                root().join(&page)
            } else {
                root().join(Path::new(&page).parent().unwrap()).join(file)
            };
            match std::fs::read_to_string(&target) {
                Err(error) => lost.push(format!("{page}: {link}: {error}")),
                Ok(text) if !anchor.is_empty() && !anchors(&text).contains(anchor) => {
                    lost.push(format!("{page}: {link}: there is no such heading"));
                }
                Ok(_) => {}
            }
        }
    }
    assert!(seen >= 60, "{seen} links");
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn every_page_of_the_manual_is_in_its_table_of_contents() {
    let listed: BTreeSet<String> =
        links(&read("docs/SUMMARY.md")).into_iter().map(|link| format!("docs/{link}")).collect();
    let there: BTreeSet<String> =
        files("docs", "md").iter().map(|path| shown(path)).filter(|file| file != "docs/SUMMARY.md").collect();
    assert_eq!(listed, there);
}
