//! Checkouts that try to run a program: whoever wrote their files may be a stranger.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::diff::git;
use super::program::{MANIFEST, Project, SECRETS};

/// Every command that asks git, and none that needs more than the limit of folder.
const COMMANDS: [&[&str]; 6] = [
    &["validate", "--offline", "--sandbox"],
    &["plan", "--sandbox"],
    &["apply", "--sandbox", "--auto-approve"],
    &["drift", "--sandbox"],
    &["list", "--sandbox"],
    &["diff", "--base", "HEAD"],
];

/// The quickstart, committed in a repository of its own.
fn committed() -> Project {
    let project = Project::quickstart().with("ANYREACH_TOKEN", SECRETS[0]).with("GITHUB_TOKEN", SECRETS[1]);
    git(&project.dir(), &["init", "-q", "-b", "main"]);
    commit(&project.dir());
    project
}

fn commit(dir: &Path) {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "--allow-empty", "-m", "state"]);
}

/// A program that leaves its environment behind, beside the project.
fn spy(project: &Project) -> (PathBuf, PathBuf) {
    let (program, trace) = (project.home().join("spy"), project.home().join("trace"));
    std::fs::write(&program, format!("#!/bin/sh\nenv >> '{}'\nexec cat\n", trace.display())).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    (program, trace)
}

/// What a repository consists of, its configuration naming a program for every occasion that git knows.
fn plant(folder: &Path, program: &Path) {
    git(folder.parent().unwrap(), &["init", "-q", "--bare", "-b", "main", &folder.display().to_string()]);
    let program = program.display();
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = {0}\n\tfsmonitor = {program}\n\
         \thooksPath = {1}\n\tsshCommand = {program}\n\tpager = {program}\n[diff]\n\texternal = {program}\n",
        folder.parent().unwrap().display(),
        folder.join("hooks").display()
    );
    std::fs::write(folder.join("config"), config).unwrap();
}

/// Copies a repository's commits and index into a planted one, so that every question has an answer there.
fn fill(planted: &Path, from: &Path) {
    for part in ["objects", "refs", "index", "HEAD"] {
        let status = std::process::Command::new("cp").arg("-R").arg(from.join(part)).arg(planted).status().unwrap();
        assert!(status.success());
    }
}

#[track_caller]
fn runs_nothing(project: &Project, trace: &Path) {
    for arguments in COMMANDS {
        for pipeline in ["", "true"] {
            let _ended = project.command(arguments).env("CI", pipeline).output().unwrap();
            let seen = std::fs::read_to_string(trace).unwrap_or_default();
            assert!(seen.is_empty(), "{arguments:?} ran a program of the checkout:\n{seen}");
        }
    }
}

#[test]
fn a_repository_made_of_plain_files_is_not_taken_for_one() {
    let project = committed();
    let (program, trace) = spy(&project);
    let root = project.dir().parent().unwrap().to_owned();
    git(&root, &["init", "-q", "-b", "main"]);
    let apart = project.home().join("apart");
    std::fs::rename(project.path(".git"), &apart).unwrap();
    plant(&project.path("planted"), &program);
    fill(&project.path("planted"), &apart);
    for part in ["HEAD", "config", "objects", "refs", "index"] {
        std::fs::rename(project.path("planted").join(part), project.path(part)).unwrap();
    }
    project.edit("config", &format!("worktree = {}", project.dir().display()), "worktree = .");
    git(&root, &["add", "-A", "--", "project"]);
    git(&root, &["commit", "-q", "-m", "everything of it can be committed"]);
    runs_nothing(&project, &trace);
    let _ = project.run(&["diff", "--base", "HEAD"]).ends(1).says("was not made by a checkout");
    let pipeline = project.with("CI", "true");
    let ran = pipeline.run(&["validate", "--offline", "--sandbox"]).ends(1).says("tracked-files-unknown");
    assert!(ran.stderr.contains("was not made by a checkout"), "{ran:#?}");
}

#[test]
fn a_git_file_or_link_that_leads_to_plain_files_is_not_followed() {
    for (place, pointer) in [("project/store", "store"), ("store", "../store")] {
        for is_link in [false, true] {
            let project = committed();
            let (program, trace) = spy(&project);
            let root = project.dir().parent().unwrap().to_owned();
            git(&root, &["init", "-q", "-b", "main"]);
            let apart = project.home().join("apart");
            std::fs::rename(project.path(".git"), &apart).unwrap();
            plant(&root.join(place), &program);
            fill(&root.join(place), &apart);
            let config = std::fs::read_to_string(root.join(place).join("config")).unwrap();
            let config: Vec<&str> = config.lines().filter(|line| !line.contains("worktree")).collect();
            std::fs::write(root.join(place).join("config"), config.join("\n")).unwrap();
            if is_link {
                std::os::unix::fs::symlink(pointer, project.path(".git")).unwrap();
            } else {
                project.write(".git", format!("gitdir: {pointer}\n"));
            }
            runs_nothing(&project, &trace);
            let _ = project.run(&["diff", "--base", "HEAD"]).ends(1).says("was not made by a checkout");
        }
    }
}

#[test]
fn what_the_configuration_of_a_checkout_or_its_submodule_names_is_not_run_by_asking() {
    let project = committed();
    let (program, trace) = spy(&project);
    let other = committed();
    let source = other.dir().display().to_string();
    git(&project.dir(), &["submodule", "add", "-q", &source, "shared"]);
    commit(&project.dir());
    for dir in [project.dir(), project.path("shared")] {
        for name in ["core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "credential.helper"] {
            git(&dir, &["config", name, &program.display().to_string()]);
        }
        git(&dir, &["config", "core.hooksPath", &project.home().display().to_string()]);
        std::fs::copy(&program, project.home().join("post-index-change")).unwrap();
    }
    project.edit("shared/prompts/riverside.md", "Riverside", "Lakeside");
    runs_nothing(&project, &trace);
    // An edit inside a submodule is an edit all the same.
    let plan = project.run(&["plan", "--sandbox", "--json"]).json();
    assert_eq!(plan["source"]["dirty"], true, "{plan:#}");
    assert!(plan["source"]["commit"].is_string());
}

#[test]
fn a_filter_that_a_user_has_set_up_sees_nothing_of_our_environment() {
    let project = committed().with("REACHFORM_SECRET_CRM_KEY", SECRETS[3]).with("LANG", "C.UTF-8");
    let (program, trace) = spy(&project);
    git(&project.dir(), &["config", "filter.spy.clean", &program.display().to_string()]);
    project.write(".gitattributes", "*.md filter=spy\n");
    // Of the same length, so that only its content can tell.
    project.edit("prompts/riverside.md", "Riverside", "Lakesides");
    project.run(&["validate", "--offline", "--sandbox"]).ends(0);
    let seen = std::fs::read_to_string(&trace).unwrap();
    let names: Vec<&str> = seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = ["PATH", "HOME", "LANG", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"];
    let others: Vec<&&str> = names.iter().filter(|name| !known.contains(name) && !name.starts_with("GIT_")).collect();
    assert!(names.contains(&"HOME") && others.is_empty(), "{others:?}\n{seen}");
}

#[test]
fn a_program_called_git_in_the_checkout_or_in_the_current_folder_is_not_the_one_that_is_asked() {
    let project = committed();
    let (program, trace) = spy(&project);
    for file in ["git", "bin/git"] {
        project.write(file, "");
        std::fs::copy(&program, project.path(file)).unwrap();
    }
    let elsewhere = project.home().join("bin");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::os::unix::fs::symlink(project.path("git"), elsewhere.join("git")).unwrap();
    let path = format!(".::bin:{}:{}:/usr/bin:/bin", project.path("bin").display(), elsewhere.display());
    let project = project.with("PATH", &path);
    runs_nothing(&project, &trace);
    project.run(&["diff", "--base", "HEAD"]).ends(0);
}

#[test]
fn variables_that_lead_git_elsewhere_lead_nowhere() {
    let project = committed();
    let (program, trace) = spy(&project);
    let planted = project.home().join("planted");
    plant(&planted, &program);
    let project = project
        .with("GIT_DIR", &planted.display().to_string())
        .with("GIT_CONFIG_COUNT", "1")
        .with("GIT_CONFIG_KEY_0", "core.fsmonitor")
        .with("GIT_CONFIG_VALUE_0", &program.display().to_string());
    runs_nothing(&project, &trace);
    project.run(&["diff", "--base", "HEAD"]).ends(0);
}

#[test]
fn what_a_partial_clone_lacks_is_named_and_not_fetched() {
    let project = committed();
    let (program, trace) = spy(&project);
    project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    commit(&project.dir());
    git(&project.dir(), &["config", "uploadpack.allowFilter", "true"]);
    let clone = Project::quickstart();
    std::fs::remove_dir_all(clone.dir()).unwrap();
    let source = format!("file://{}", project.dir().display());
    git(clone.dir().parent().unwrap(), &["clone", "-q", "--filter=blob:none", &source, "project"]);
    let url = format!("ext::{}", program.display());
    for (name, value) in [("remote.origin.url", url.as_str()), ("protocol.ext.allow", "always")] {
        git(&clone.dir(), &["config", name, value]);
    }
    clone.run(&["diff", "--base", "HEAD"]).ends(0).says("No difference.");
    let ran = clone.run(&["diff", "--base", "HEAD~1"]).ends(1).says("does not hold `agents/riverside.yaml`");
    assert!(ran.stderr.contains("git fetch --refetch --no-filter origin"), "{ran:#?}");
    assert!(!trace.exists(), "{}", std::fs::read_to_string(&trace).unwrap());
    // The hint does what it says.
    git(&clone.dir(), &["config", "remote.origin.url", &source]);
    git(&clone.dir(), &["fetch", "-q", "--refetch", "--no-filter", "origin"]);
    clone.run(&["diff", "--base", "HEAD~1"]).ends(0).says("1 changed");
}

#[test]
fn a_worktree_and_a_submodule_are_checkouts_like_any_other() {
    let project = committed();
    let tree = project.dir().join("trees/second");
    git(&project.dir(), &["worktree", "add", "-q", &tree.display().to_string(), "-b", "second"]);
    let tree = tree.display().to_string();
    project.run(&["-C", &tree, "diff", "--base", "main"]).ends(0).says("No difference.");
    let outer = committed();
    git(&outer.dir(), &["submodule", "add", "-q", &project.dir().display().to_string(), "shared"]);
    outer.run(&["-C", "shared", "diff", "--base", "main"]).ends(0).says("No difference.");
}
