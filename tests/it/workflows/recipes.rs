//! What each recipe asks for and what it does with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Document, OUR_ACTION, action, document, is_ours, recipes, root, words, workflows};

#[test]
fn each_job_states_its_permissions_and_each_permission_its_reason() {
    for workflow in workflows() {
        let name = &workflow.name;
        assert_eq!(workflow.value["permissions"], json!({}), "{name}: what no job asks for is granted to none");
        for (job, value) in workflow.jobs() {
            let permissions = value["permissions"].as_object().unwrap_or_else(|| panic!("{name}, {job}: none stated"));
            assert!(permissions.values().all(|access| access == "read" || access == "write"), "{name}, {job}");
            assert!(value["timeout-minutes"].as_u64().is_some_and(|minutes| minutes <= 60), "{name}, {job}");
        }
    }
    for recipe in recipes() {
        for (job, value) in recipe.jobs() {
            for (scope, access) in value["permissions"].as_object().unwrap() {
                let line = format!("      {scope}: {} # ", access.as_str().unwrap());
                assert!(recipe.text.contains(&line), "{}, {job}: `{scope}` is asked for without a reason", recipe.name);
            }
        }
    }
}

/// The most that a recipe may ask for. A new line here is a decision.
const MOST: [(&str, &[&str]); 6] = [
    ("apply.yml", &["checks: read", "contents: read", "pull-requests: write"]),
    ("drift.yml", &["contents: read", "issues: write"]),
    ("fork-comment.yml", &["actions: read", "pull-requests: write"]),
    ("fork-difference.yml", &["contents: read"]),
    ("plan-artifact.yml", &["contents: read"]),
    ("plan.yml", &["checks: write", "contents: read", "pull-requests: write"]),
];

#[test]
fn no_recipe_asks_for_more_than_it_did() {
    for recipe in recipes() {
        let asked: BTreeSet<String> = recipe
            .jobs()
            .iter()
            .flat_map(|(_, job)| job["permissions"].as_object().unwrap())
            .map(|(scope, access)| format!("{scope}: {}", access.as_str().unwrap()))
            .collect();
        let (_, most) = MOST.iter().find(|(name, _)| *name == recipe.name).expect("a recipe that is not listed");
        assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), *most, "{}", recipe.name);
    }
}

#[test]
fn no_workflow_lends_its_trust_to_a_stranger() {
    for workflow in workflows() {
        let (name, events) = (&workflow.name, workflow.events());
        assert!(!events.contains(&"pull_request_target"), "{name}");
        if events.contains(&"workflow_run") {
            for step in workflow.steps() {
                let uses = step["uses"].as_str().unwrap_or_default();
                assert!(!uses.starts_with("actions/checkout@"), "{name} checks out where a stranger's run leads to");
            }
            assert!(!workflow.text.contains("secrets."), "{name} has a secret where a stranger's run leads to");
        }
        for step in workflow.steps() {
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/checkout@")) {
                assert_eq!(
                    step["with"]["persist-credentials"],
                    json!(false),
                    "{name} leaves its token in the checkout"
                );
            }
        }
    }
}

#[test]
fn what_others_wrote_is_pinned_by_its_commit_and_says_its_version() {
    let mut pinned = 0;
    for workflow in workflows() {
        for line in workflow.text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let Some((_, uses)) = line.split_once("uses: ") else { continue };
            if uses.starts_with(OUR_ACTION) {
                continue;
            }
            let (reference, version) = uses.split_once(" # v").unwrap_or_else(|| panic!("{}: {uses}", workflow.name));
            let commit = reference.split_once('@').unwrap().1;
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{}: {uses}", workflow.name);
            assert!(version.split('.').count() == 3, "{}: {uses}", workflow.name);
            pinned += 1;
        }
        let lines = workflow.text.lines().filter(|line| !line.trim_start().starts_with('#') && line.contains("uses: "));
        let used = workflow.steps().iter().filter(|step| step["uses"].is_string()).count();
        assert_eq!(lines.count(), used, "{}: a `uses` that is written in another way", workflow.name);
    }
    assert!(pinned >= 10, "{pinned}");
}

#[test]
fn no_script_holds_an_expression() {
    let action = action();
    let own = action["runs"]["steps"].as_array().unwrap();
    let workflows = workflows();
    let mut scripts = 0;
    for step in workflows.iter().flat_map(Document::steps).chain(own) {
        if let Some(script) = step["run"].as_str() {
            assert!(!script.contains("${{"), "the runner would paste text into this script: {script}");
            scripts += 1;
        }
    }
    assert!(scripts >= 6, "{scripts}");
}

#[test]
fn our_action_is_given_inputs_that_it_has_and_asked_for_outputs_that_it_has() {
    let action = action();
    let (inputs, outputs) = (words(&action, "inputs"), words(&action, "outputs"));
    let required: Vec<&str> =
        inputs.iter().copied().filter(|name| action["inputs"][name]["required"] == true).collect();
    assert!(inputs.len() > 20 && outputs.len() > 15 && required == ["command"], "{required:?}");
    let (mut steps, mut asked) = (0, 0);
    for recipe in recipes() {
        for step in recipe.ours() {
            let given = words(step, "with");
            for name in &given {
                assert!(inputs.contains(name), "{}: the action has no input `{name}`", recipe.name);
                assert!(!step["with"][name].is_boolean(), "{}: `{name}` reaches the action as text", recipe.name);
            }
            assert!(required.iter().all(|name| given.contains(name)), "{}: {given:?}", recipe.name);
            assert!(!given.contains(&"token"), "{}: the usual one has the stated permissions", recipe.name);
            steps += 1;
        }
        for (job, value) in recipe.jobs() {
            let steps = value["steps"].as_array().unwrap();
            for (id, output) in references(&value.to_string(), "steps.") {
                let step = steps.iter().find(|step| step["id"] == id.as_str()).expect("a step with that id");
                assert!(is_ours(step), "{}, {job}: {id}", recipe.name);
                assert!(outputs.contains(&output.as_str()), "{}: the action has no output `{output}`", recipe.name);
                asked += 1;
            }
            for (before, output) in references(&value.to_string(), "needs.") {
                let needed = recipe.value["jobs"][&before]["outputs"][&output].as_str();
                assert!(needed.is_some(), "{}, {job}: `{before}` has no output `{output}`", recipe.name);
                assert!(value["needs"].as_array().unwrap().contains(&json!(before)), "{}, {job}", recipe.name);
            }
        }
    }
    assert!(steps >= 9 && asked >= 2, "{steps} steps, {asked} outputs");
}

/// `(id, name)` of each `PREFIXid.outputs.name` in a text.
fn references(text: &str, prefix: &str) -> Vec<(String, String)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(prefix)
        .skip(1)
        .filter_map(|rest| {
            let (id, rest) = rest.split_once(".outputs.")?;
            let name: String = rest.chars().take_while(|c| word(*c)).collect();
            id.chars().all(word).then(|| (id.to_owned(), name))
        })
        .collect()
}

#[test]
fn an_apply_is_protected_alone_and_never_cancelled() {
    let mut applies = 0;
    for recipe in recipes() {
        for (name, job) in recipe.jobs() {
            let steps = job["steps"].as_array().unwrap();
            if !steps.iter().any(|step| is_ours(step) && step["with"]["command"] == "apply") {
                assert!(job["environment"].is_null(), "{}, {name}", recipe.name);
                continue;
            }
            let environment = job["environment"].as_str().expect("a protected environment");
            let concurrency =
                if job["concurrency"].is_null() { &recipe.value["concurrency"] } else { &job["concurrency"] };
            assert_eq!(concurrency["cancel-in-progress"], json!(false), "{}, {name}", recipe.name);
            let group = concurrency["group"].as_str().unwrap();
            assert_eq!(group, format!("reachform-apply-{environment}"), "{}: two could run at once", recipe.name);
            assert!(steps.iter().filter(|step| is_ours(step)).all(|step| step["with"]["environment"] == environment));
            assert!(!recipe.events().contains(&"pull_request"), "{}", recipe.name);
            applies += 1;
        }
    }
    assert_eq!(applies, 3);
}

#[test]
fn environments_are_applied_one_after_another_as_they_were_planned() {
    let recipe = |name: &str| document(&root().join("examples/workflows").join(name));
    let environments = |document: &Document| -> Vec<Value> {
        document.ours().iter().map(|step| step["with"]["environment"].clone()).collect()
    };
    let (plan, apply) = (recipe("plan.yml"), recipe("apply.yml"));
    assert_eq!(environments(&plan), environments(&apply));
    let names: Vec<&str> = apply.jobs().iter().map(|(name, _)| *name).collect();
    for pair in names.windows(2) {
        assert_eq!(apply.value["jobs"][pair[1]]["needs"], json!([pair[0]]));
    }
    // What apply reads, plan must have written.
    assert!(plan.ours().iter().all(|step| step["with"]["check"].is_null() && step["with"]["comment-key"].is_null()));
    assert!(apply.ours().iter().all(|step| step["with"]["approve"] == "plan-hash"));
}

#[test]
fn whatever_file_a_merge_changes_an_apply_follows_because_a_manifest_may_read_it() {
    let apply = document(&root().join("examples/workflows/apply.yml"));
    let push = apply.value["on"]["push"].as_object().unwrap();
    assert_eq!(push.keys().collect::<Vec<_>>(), ["branches"]);
}

#[test]
fn a_release_can_be_tried_again_and_its_pull_request_is_checked() {
    let release = document(&root().join(".github/workflows/release.yml"));
    let jobs = release.jobs();
    let (_, publish) = jobs.iter().find(|(name, _)| *name == "publish").unwrap();
    let steps = publish["steps"].as_array().unwrap();
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    for making in ["gh release create", "gh pr create"] {
        let script = scripts.iter().find(|script| script.contains(making)).unwrap();
        let (before, _) = script.split_once(making).unwrap();
        assert!(before.trim_end().ends_with("; then"), "`{making}` fails where an earlier try has made it: {script}");
    }
    // What the token of a workflow pushes starts no other workflow.
    assert!(scripts.iter().any(|script| script.contains("gh workflow run ci.yml --ref ")));
    assert_eq!(publish["permissions"]["actions"], "write");
    assert!(document(&root().join(".github/workflows/ci.yml")).events().contains(&"workflow_dispatch"));
}

#[test]
fn the_two_halves_for_forks_fit() {
    let recipe = |name: &str| document(&root().join("examples/workflows").join(name));
    let (first, second) = (recipe("fork-difference.yml"), recipe("fork-comment.yml"));
    assert_eq!(second.value["on"]["workflow_run"]["workflows"], json!([first.value["name"]]));
    assert!(!first.text.contains("secrets."));
    let artifact = |document: &Document, which: &str| {
        let steps = document.steps();
        let step = steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains(which))).copied();
        step.unwrap()["with"].clone()
    };
    let (up, down) = (artifact(&first, "upload-artifact"), artifact(&second, "download-artifact"));
    assert_eq!(up["name"], down["name"]);
    let file = up["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let folder = down["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let steps = second.steps();
    let post = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.contains(" comment ")).unwrap();
    let wanted = format!("comment \"$RUNNER_TEMP/{folder}/{file}\" --expect difference");
    assert!(post.contains(&wanted), "{wanted}: {post}");
    assert!(
        std::path::Path::new(&file).extension().is_some_and(|kind| kind == "json"),
        "finished Markdown is refused there"
    );
}

/// The toolchain that the action builds with.
fn toolchain() -> String {
    let script = std::fs::read_to_string(root().join(".github/action/install.sh")).unwrap();
    let pin = script.lines().find_map(|line| line.strip_prefix("toolchain=")).unwrap();
    pin.to_owned()
}

#[test]
fn no_recipe_installs_in_a_strangers_folder_or_runs_what_a_stranger_may_have_left() {
    let mut installs = 0;
    for recipe in recipes() {
        for step in recipe.steps() {
            let Some(script) = step["run"].as_str().filter(|script| script.contains("cargo ")) else { continue };
            let name = &recipe.name;
            assert_eq!(step["working-directory"], "${{ runner.temp }}", "{name}: cargo obeys files of the workspace");
            assert_eq!(step["env"]["RUSTUP_TOOLCHAIN"], toolchain(), "{name}");
            assert!(script.contains(" --root \"$RUNNER_TEMP/"), "{name}: what is installed outlives the job");
            assert!(!step["env"].to_string().contains("token") && !recipe.value["env"].is_object(), "{name}: a token");
            installs += 1;
        }
    }
    let gitlab = document(&root().join("examples/workflows/gitlab-ci.yml"));
    let (major_minor, _) = gitlab.value["default"]["image"].as_str().unwrap().split_once('-').unwrap();
    assert!(toolchain().starts_with(major_minor.strip_prefix("rust:").unwrap()), "{major_minor}");
    let jobs = gitlab.value.as_object().unwrap();
    assert!(jobs.values().all(|job| job["cache"].is_null()), "every branch can write a cache");
    for script in jobs.values().filter_map(|job| job["before_script"].as_array()).flatten() {
        let script = script.as_str().unwrap();
        if script.contains("cargo ") {
            assert!(script.starts_with("(cd / && env -i "), "{script}");
            assert!(script.contains(" --root /opt/"), "{script}");
            installs += 1;
        }
        assert!(!script.contains("CI_PROJECT_DIR") && !script.contains("=\"."), "a committed program is run: {script}");
    }
    assert_eq!(installs, 2);
}

#[test]
fn the_cron_runs_at_an_off_minute() {
    let drift = document(&root().join("examples/workflows/drift.yml"));
    let cron = drift.value["on"]["schedule"][0]["cron"].as_str().unwrap();
    let minute: u8 = cron.split(' ').next().unwrap().parse().unwrap();
    assert!(!minute.is_multiple_of(5) && cron.split(' ').count() == 5, "{cron}");
}

#[test]
fn gitlabs_recipe_protects_its_apply_and_hides_its_artifacts() {
    let gitlab = document(&root().join("examples/workflows/gitlab-ci.yml")).value;
    let apply = &gitlab["apply-prod"];
    assert_eq!((&apply["environment"], &apply["resource_group"]), (&json!("prod"), &json!("prod")));
    assert_eq!((&apply["interruptible"], &gitlab["default"]["interruptible"]), (&Value::Null, &json!(false)));
    assert_eq!(apply["rules"][0]["when"], "manual");
    for (name, job) in gitlab.as_object().unwrap().iter().filter(|(_, job)| job["artifacts"].is_object()) {
        assert_eq!(job["artifacts"]["access"], "developer", "{name}");
        let written = job["script"].to_string();
        let paths = job["artifacts"]["paths"].as_array().unwrap();
        let reports = job["artifacts"]["reports"].as_object();
        for file in paths.iter().chain(reports.into_iter().flat_map(|reports| reports.values())) {
            assert!(written.contains(&format!(" {}", file.as_str().unwrap())), "{name} writes no {file}");
        }
    }
}

#[test]
fn what_is_released_is_what_the_action_asks_for_and_what_is_listed_as_its_parts() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let release = document(&root().join(".github/workflows/release.yml")).value;
    let matrix = release["jobs"]["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let targets: BTreeSet<&str> = matrix.iter().map(|system| system["target"].as_str().unwrap()).collect();
    assert_eq!(targets.len(), 5);
    let parts = read("packaging/sbom");
    let install = read(".github/action/install.sh");
    let asked: BTreeSet<&str> =
        install.lines().filter_map(|line| line.split_once(") target=")?.1.strip_suffix(" ;;")).collect();
    assert!(asked.is_subset(&targets) && asked.len() == 4, "{asked:?}");
    for target in &targets {
        assert!(parts.contains(&format!("\"{target}\"")), "packaging/sbom does not list {target}");
    }
    // The job that builds has no right to write, and none of a release runs before the whole of it is there.
    assert_eq!(release["jobs"]["build"]["permissions"], json!({"contents": "read"}));
    assert_eq!(release["jobs"]["publish"]["needs"], json!(["build"]));
}
