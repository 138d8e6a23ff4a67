//! Files and written: in a pipeline tracked ones, elsewhere regular ones, and never through a link that a
//! stranger committed.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use super::diff::git;
use super::program::{MANIFEST, Project, Ran, SECRETS};

const VALIDATE: [&str; 3] = ["validate", "--offline", "--sandbox"];

/// The quickstart, committed, in a pipeline.
fn in_a_pipeline() -> Project {
    let project = Project::quickstart();
    git(&project.dir(), &["init", "-q", "-b", "main"]);
    commit(&project);
    project.with("CI", "true")
}

fn commit(project: &Project) {
    git(&project.dir(), &["add", "-A"]);
    git(&project.dir(), &["commit", "-q", "--allow-empty", "-m", "state"]);
}

/// Runs to the end, which must come soon.
#[track_caller]
fn ends_soon(project: &Project, arguments: &[&str], code: i32) -> Ran {
    let mut child = project.start(arguments);
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ran::of(child.wait_with_output().unwrap()).ends(code)
}

fn make_pipe(path: &Path) {
    let status = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_pipeline_reads_tracked_files_alone() {
    let project = in_a_pipeline();
    project.run(&VALIDATE).ends(0);
    project.write("gha-creds-4f1c.json", r#"{"private_key": "crm-secret-4417-value"}"#);
    project.write(".gitignore", "gha-creds-*.json\n");
    project.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  key: !file ../gha-creds-4f1c.json");
    for command in [&VALIDATE[..], &["plan", "--sandbox"], &["diff", "--base", "HEAD"], &["drift", "--sandbox"]] {
        let ran = project.run(command).ends(1);
        assert!(ran.stderr.contains("file-untracked") && ran.stderr.contains("agents/riverside.yaml:"), "{ran:#?}");
        assert!(ran.stderr.contains("git add -f gha-creds-4f1c.json"), "{ran:#?}");
    }
    // A person at a terminal reads what is on the disk; so does a pipeline after what the hint says.
    assert!(project.command(&VALIDATE).env_remove("CI").output().unwrap().status.success());
    git(&project.dir(), &["add", "-f", "gha-creds-4f1c.json"]);
    project.run(&VALIDATE).ends(0);
    // Some runners say only that they are GitHub's.
    git(&project.dir(), &["rm", "-q", "--cached", "gha-creds-4f1c.json"]);
    project.with("CI", "").with("GITHUB_ACTIONS", "true").run(&VALIDATE).ends(1);
}

#[test]
fn a_manifest_or_a_project_file_that_is_not_tracked_is_named_and_not_passed_over() {
    let project = in_a_pipeline();
    project.write("agents/second.yaml", "key: second\nname: Second\n");
    let _ = project.run(&VALIDATE).ends(1).says("`agents/second.yaml` is not a file that git tracks");
    git(&project.dir(), &["add", "agents/second.yaml"]);
    project.run(&VALIDATE).ends(0);
    git(&project.dir(), &["rm", "-q", "--cached", "reachform.yaml"]);
    let _ = project.run(&VALIDATE).ends(1).says("`reachform.yaml` is not a file that git tracks");
}

#[test]
fn a_project_below_the_root_or_in_a_submodule_knows_its_tracked_files() {
    let project = in_a_pipeline();
    let outer = in_a_pipeline();
    git(&outer.dir(), &["submodule", "add", "-q", &project.dir().display().to_string(), "shared"]);
    outer.edit(MANIFEST, "!file ../prompts/riverside.md", "!file ../shared/prompts/riverside.md");
    outer.run(&VALIDATE).ends(0);
    outer.run(&[&["-C", "shared"], &VALIDATE[..]].concat()).ends(0);
    outer.write("shared/prompts/riverside.md.txt", "x");
    outer.edit(MANIFEST, "riverside.md", "riverside.md.txt");
    let _ = outer.run(&VALIDATE).ends(1).says("`shared/prompts/riverside.md.txt` is not a file that git tracks");
    let root = project.dir().parent().unwrap().to_owned();
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    // In no checkout, as after an artifact was unpacked, there is no list to go by.
    project.run(&VALIDATE).ends(0);
    git(&root, &["init", "-q", "-b", "main"]);
    project.run(&VALIDATE).ends(1);
    git(&root, &["add", "project"]);
    project.run(&VALIDATE).ends(0);
}

#[test]
fn a_pipeline_in_which_git_does_not_answer_reads_nothing() {
    let project = in_a_pipeline().with("PATH", "/nonexistent");
    let ran = project.run(&VALIDATE).ends(1).says("tracked-files-unknown");
    assert!(ran.stderr.contains("`git` was not found"), "{ran:#?}");
    assert!(project.command(&VALIDATE).env("CI", "false").output().unwrap().status.success());
}

#[test]
fn a_pipe_in_place_of_a_file_is_named_and_not_waited_for() {
    let project = Project::quickstart();
    make_pipe(&project.path("pipe"));
    let project = project.with("GITHUB_REPOSITORY", "a/b").with("GITHUB_TOKEN", SECRETS[1]);
    let commands: [&[&str]; 7] = [
        &["show", "pipe"],
        &["apply", "pipe", "--sandbox"],
        &["comment", "pipe", "--env", "default"],
        &["list", "--token-file", "pipe"],
        &["sandbox", "serve", "--seed", "pipe"],
        &["sandbox", "serve", "--data", "pipe"],
        &["list", "--ca-file", "pipe"],
    ];
    for arguments in commands {
        let project = if arguments.contains(&"--ca-file") {
            &Project::quickstart().with("ANYREACH_TOKEN", SECRETS[0])
        } else {
            &project
        };
        if arguments.contains(&"--ca-file") {
            make_pipe(&project.path("pipe"));
        }
        let ran = ends_soon(project, arguments, 1);
        assert!(ran.stderr.contains("it is a pipe, and only regular files are read"), "{arguments:?} {ran:#?}");
    }
    std::fs::create_dir_all(project.path(".reachform")).unwrap();
    make_pipe(&project.path(".reachform/sandbox.json"));
    let _ = ends_soon(&project, &["list", "--sandbox"], 1).says("it is a pipe");
    std::fs::remove_file(project.path("prompts/riverside.md")).unwrap();
    make_pipe(&project.path("prompts/riverside.md"));
    let _ = ends_soon(&project, &VALIDATE, 1).says("file-unreadable");
    make_pipe(&project.path("agents/second.yaml"));
    let _ = ends_soon(&project, &VALIDATE, 1).says("has the name of a manifest and is not a regular file");
}

#[test]
fn a_file_without_end_is_read_up_to_a_bound() {
    let project = Project::quickstart();
    for arguments in [&["show", "/dev/zero"][..], &["list", "--token-file", "/dev/zero"]] {
        let _ = ends_soon(&project, arguments, 1).says("it is a device");
    }
    std::fs::File::create(project.path("large")).unwrap().set_len(1 << 40).unwrap();
    for arguments in
        [&["show", "large"][..], &["list", "--token-file", "large"], &["sandbox", "serve", "--seed", "large"]]
    {
        let _ = ends_soon(&project, arguments, 1).says("larger than the limit");
    }
}

#[test]
fn the_sandboxs_folder_and_its_files_are_never_links() {
    let links = [(".reachform", "."), (".reachform/sandbox.json", "state"), (".reachform/sandbox.json.lock", "made")];
    for (link, target) in links {
        let project = Project::quickstart();
        let outside = project.home().join("outside");
        std::fs::create_dir_all(&outside).unwrap();
        let state = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
        std::fs::write(outside.join("state"), &state).unwrap();
        std::fs::create_dir_all(project.path(link).parent().unwrap()).unwrap();
        symlink(outside.join(target), project.path(link)).unwrap();
        let _ = project.run(&["apply", "--sandbox", "--auto-approve"]).ends(1);
        let left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["state"], "{link}");
        assert_eq!(std::fs::read(outside.join("state")).unwrap(), state);
    }
}

#[test]
fn a_committed_link_takes_no_output_out_of_the_current_folder() {
    let project = Project::quickstart();
    let outside = project.home().join("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("kept"), "kept").unwrap();
    symlink(&outside, project.path("reports")).unwrap();
    std::fs::create_dir_all(project.path("inside")).unwrap();
    symlink("inside", project.path("also-inside")).unwrap();
    symlink(outside.join("kept"), project.path("plan.md")).unwrap();
    let absolute = project.path("reports/a.json").display().to_string();
    for (flag, path) in [
        ("--out", "reports/a.plan"),
        ("--markdown", "./reports/a.md"),
        ("--html", "reports/a.html"),
        ("--sarif", "reports/a.sarif"),
        ("--json-out", absolute.as_str()),
    ] {
        let ran = project.run(&["plan", "--sandbox", flag, path]).ends(1);
        assert!(ran.stderr.contains("a symbolic link that leads out of the current folder"), "{flag}: {ran:#?}");
    }
    project.run(&["plan", "--sandbox", "--markdown", "plan.md", "--out", "also-inside/a.plan"]).ends(0);
    assert_eq!(std::fs::read_to_string(outside.join("kept")).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    assert!(project.read("plan.md").contains("Riverside"));
    assert!(project.path("inside/a.plan").is_file());
    // A folder that a person names is where they mean it to be.
    project.run(&["plan", "--sandbox", "--out", &outside.join("a.plan").display().to_string()]).ends(0);
}
