//! Each command line that the documentation shows is one that the program takes.

use super::{blocks, pages, read};
use crate::workflows::command_lines::{assert_taken, ours};

/// What stands between backticks outside of blocks.
fn inline(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn each_command_line_of_the_documentation_is_taken() {
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        let lines = blocks(&text, &["console", "sh"]).into_iter().flat_map(|block| {
            let lines: Vec<String> = block.lines().map(str::to_owned).collect();
            lines
        });
        for line in lines.chain(inline(&text)).filter_map(|line| ours(&line)) {
            assert_taken(&page, &line);
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen} command lines");
}

#[test]
fn a_line_of_the_documentation_that_the_program_does_not_take_is_noticed() {
    let shown = "Run `reachform plan --no-such-flag`.\n```console\n$ reachform apply --sandbox\n```\n";
    assert_eq!(inline(shown), ["reachform plan --no-such-flag"]);
    assert_eq!(blocks(shown, &["console"]), ["$ reachform apply --sandbox\n"]);
    let wrong = ours(&inline(shown)[0]).unwrap();
    assert!(std::panic::catch_unwind(|| assert_taken("here", &wrong)).is_err());
}
