//! Every command that the program prints is run as it was printed, in the folder and with the variables of the run that
//! printed it; and no text names a command that there is not.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::program::{MANIFEST, Project, Ran};
use super::service::Server;

/// A project of two environments in a folder whose name a shell would split, seen from the folder above it.
fn project(server: &Server) -> Project {
    let project = Project::at(server);
    let file = project.read("reachform.yaml");
    let at = file.find("environments:").unwrap();
    let rest = file[at..].lines().skip(1).find(|line| !line.starts_with([' ', '#']) && !line.is_empty());
    let tail = rest.map_or("", |line| &file[file.find(line).unwrap()..]);
    let variables = "variables: {front_desk: \"+15550100199\"}";
    let environments = format!("environments:\n  prod-east: {{{variables}}}\n  prod-west: {{{variables}}}\n");
    let whole = format!("{}{environments}{tail}", &file[..at]);
    for name in ["reachform.yaml", MANIFEST, "prompts/riverside.md"] {
        let text = if name == "reachform.yaml" { whole.clone() } else { project.read(name) };
        project.write(&format!("our agents/{name}"), text);
    }
    project
}

/// The commands of a text: from the name of the program to the end of the code or the line.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("&#39;", "'").replace("&#x27;", "'").replace("&apos;", "'").replace("&quot;", "\"");
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| {
            let start = ["reachform apply", "reachform plan", "reachform drift", "reachform show"];
            let at = start.iter().filter_map(|start| line.find(start)).min()?;
            let rest = &line[at..];
            let end = rest.find(['`', '<']).unwrap_or(rest.len());
            Some(rest[..end].trim_end().to_owned())
        })
        .collect();
    found.dedup();
    found
}

/// Runs a line as a person would who copied it into a terminal, and says yes where they are asked.
fn typed(project: &Project, line: &str) -> Ran {
    let program = assert_cmd::cargo::cargo_bin!("reachform");
    let path = format!("{}:/usr/bin:/bin", Path::new(program).parent().unwrap().display());
    let plain = project.command(&[]);
    let mut command = Command::new("/usr/bin/script");
    command.args(["-qec", line, "/dev/null"]).current_dir(project.dir()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
    command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn what_plan_and_its_page_print_applies_that_plan() {
    let server = Server::new();
    let at = ["-C", "our agents", "--env", "prod-east"];
    let plan = |project: &Project, more: &[&str]| project.run(&[&["plan"], &at[..], more].concat()).ends(0);
    for which in ["--out", "--html"] {
        let server = Server::new();
        let project = project(&server);
        let ran = plan(&project, &[which, "the plan"]);
        let text = if which == "--out" { ran.stderr } else { project.read("the plan") };
        let printed = commands(&text);
        let [line] = printed.as_slice() else { panic!("{printed:?}\n{text}") };
        assert!(typed(&project, line).ends(0).stdout.contains("1 applied"), "{line}");
    }
    // A plan file knows its environment, and a page that was made of it names the file.
    let project = project(&server);
    plan(&project, &["--out", "the plan"]);
    project.run(&["show", "the plan", "--html", "page.html", "-C", "our agents"]).ends(0);
    let printed = commands(&project.read("page.html"));
    let [line] = printed.as_slice() else { panic!("{printed:?}") };
    assert_eq!(line, "reachform apply -C 'our agents' --env prod-east 'the plan'");
    project.run(&["apply", "-C", "our agents", "the plan"]).ends(0).says("1 applied");
    typed(&project, line).ends(0).says("already-applied");
}

#[test]
fn a_page_names_no_command_where_the_plan_file_does_not_hold_what_it_takes() {
    let server = Server::new();
    let project = project(&server);
    let at = ["-C", "our agents", "--env", "prod-east"];
    let plan = [&["plan"], &at[..], &["--target", "riverside", "--out", "p.plan", "--html", "page.html"]].concat();
    project.run(&plan).ends(0);
    project.run(&["show", "p.plan", "--html", "shown.html", "-C", "our agents"]).ends(0);
    assert_eq!(commands(&project.read("shown.html")), Vec::<String>::new());
    // The run that planned knows its flags.
    let printed = commands(&project.read("page.html"));
    let [line] = printed.as_slice() else { panic!("{printed:?}") };
    typed(&project, line).ends(0);
}

#[test]
fn in_the_sandbox_the_printed_command_stays_there() {
    let project = Project::quickstart();
    let ran = project.run(&["plan", "--sandbox", "--out", "p.plan"]).ends(0);
    let printed = commands(&ran.stderr);
    assert_eq!(printed, ["reachform apply --sandbox p.plan"]);
    typed(&project, &printed[0]).ends(0).says("1 applied");
}

#[test]
fn what_an_apply_and_a_check_print_goes_on_from_there() {
    let server = Server::new();
    let project = project(&server);
    let at = ["-C", "our agents", "--env", "prod-east"];
    let run = |arguments: &[&str]| project.run(&[arguments, &at[..]].concat());
    run(&["apply", "--auto-approve"]).ends(0);
    // Drift, and both ways out.
    server.dashboard_edit("/agent/max_tool_steps", json!(9));
    let ran = run(&["drift", "--markdown", "drift.md"]).ends(0);
    for text in [ran.stdout, project.read("drift.md")] {
        let printed = commands(&text);
        let [revert, adopt] = printed.as_slice() else { panic!("{printed:?}\n{text}") };
        assert!(revert.starts_with("reachform apply ") && adopt.starts_with("reachform drift --adopt "));
        for line in [adopt, revert] {
            typed(&project, line).ends(0);
        }
    }
    // A conflict that nobody has decided.
    server.dashboard_edit("/agent/max_tool_steps", json!(11));
    let file = format!("our agents/{MANIFEST}");
    project.edit(&file, "max_tool_steps: 9", "max_tool_steps: 7");
    let ran = run(&["apply", "--auto-approve", "--json-out", "report.json"]).ends(3);
    let printed = commands(&ran.stdout);
    let [line] = printed.as_slice() else { panic!("{printed:?}\n{}", ran.stdout) };
    assert!(typed(&project, line).ends(0).stdout.contains("1 applied"), "{line}");
}

#[test]
fn an_apply_under_an_approval_goes_on_under_it_and_if_it_cannot_any_more_a_new_plan_is_made() {
    for by_hash in [false, true] {
        let server = Server::new();
        let project = project(&server);
        let at = ["-C", "our agents", "--env", "prod-east"];
        let run = |arguments: &[&str]| project.run(&[arguments, &at[..]].concat());
        let approved = || {
            let plan = run(&["plan", "--out", "the plan", "--json"]).ends(0).json();
            let hash = plan["plan_hash"].as_str().unwrap().to_owned();
            if by_hash { vec!["--approved-plan".to_owned(), hash] } else { vec!["the plan".to_owned()] }
        };
        let apply = |approval: &[String]| {
            run(&[&["apply"], &approval.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat())
        };
        // One failed write: the same plan is gone on with.
        let approval = approved();
        server.fault("403:POST /core/agents/*/publish#1");
        let ran = apply(&approval).ends(5);
        let printed = commands(&ran.stdout);
        let [line] = printed.as_slice() else { panic!("{printed:?}\n{}", ran.stdout) };
        assert!(line.contains(if by_hash { "--approved-plan sha256:" } else { "'the plan'" }), "{line}");
        assert!(typed(&project, line).ends(0).stdout.contains("1 applied"), "{line}");
        // Somebody publishes before the run does: the plan is no longer good, and a new one is made and applied.
        project.edit(&format!("our agents/{MANIFEST}"), "max_tool_steps: 4", "max_tool_steps: 5");
        let approval = approved();
        server.dashboard_edit("/agent/max_tool_steps", json!(9));
        let refused = apply(&approval).ends(3);
        let printed = commands(&refused.stderr);
        let [line] = printed.as_slice() else { panic!("{printed:?}\n{}", refused.stderr) };
        assert!(line.starts_with("reachform plan ") && line.contains("--env prod-east"), "{line}");
        assert_eq!(line.contains("--out 'the plan'"), !by_hash, "{line}");
        typed(&project, line).ends(0);
        if !by_hash {
            assert!(apply(&approval).ends(0).stdout.contains("1 applied"));
        }
    }
}

#[test]
fn no_text_names_a_command_that_there_is_not() {
    let help = Project::quickstart().run(&["--help"]).ends(0).stdout;
    let listed = help.split("Commands:").nth(1).unwrap();
    let known: Vec<&str> = listed
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?.split_whitespace().next())
        .collect();
    assert!(known.contains(&"plan") && known.contains(&"apply"), "{known:?}");
    let mut unknown = Vec::new();
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        for (index, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            // Beside the code of a string or a comment that shows a command, the name of the program is prose.
            for (at, found) in line.match_indices("reachform ") {
                let before = &line[..at];
                let shown = (before.ends_with(['`', '"']) || before.ends_with("run "))
                    && !line.contains("\"title\":")
                    && !line.contains("#[error(\"reachform ");
                let word: String =
                    line[at + found.len()..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                if shown && !word.is_empty() && !known.contains(&word.as_str()) {
                    unknown.push(format!("{}:{}: `reachform {word}`", path.display(), index + 1));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
