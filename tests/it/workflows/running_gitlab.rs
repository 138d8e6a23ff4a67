//! The recipe for GitLab, its jobs run as a runner would: the lines of a script in one shell that ends at the first
//! failure, artifacts and caches inside the project's folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{document, root};
use crate::cli::diff::{git, head};
use crate::cli::program::{MANIFEST, Project, Ran, SECRETS};
use crate::cli::service::Server as Service;
use crate::forge::gitlab::GitLab;
use crate::forge::standin::{Server, StandIn};

struct Pipeline {
    gitlab: StandIn<GitLab>,
    server: Server,
    service: Service,
    project: Project,
    recipe: Value,
}

impl Pipeline {
    fn new() -> Self {
        let project = Project::quickstart();
        let text = project.read("reachform.yaml").replace("demo:", "prod:");
        project.write("reachform.yaml", text);
        let dir = project.dir();
        git(&dir, &["init", "-q", "-b", "main"]);
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", "first"]);
        let gitlab = GitLab::stand_in();
        let server = gitlab.serve();
        let recipe = document(&root().join("examples/workflows/gitlab-ci.yml")).value;
        Self { gitlab, server, service: Service::new(), project, recipe }
    }

    /// Runs a job of the recipe with these variables beside those that every job gets.
    fn runs(&self, job: &str, variables: &[(&str, &str)]) -> Ran {
        let lines = self.recipe[job]["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let script = lines.collect::<Vec<_>>().join("\n");
        let dir = self.project.dir();
        // The runner's own folders lie in the project's, and git tracks none of them.
        for file in [".cache/reachform/x.json", ".cargo/registry/x", "builds.tmp/x"] {
            self.project.write(file, "");
        }
        let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("reachform"));
        let path = format!("{}:/usr/bin:/bin", program.parent().map(Path::display).unwrap());
        let mut command = Command::new("bash");
        command
            .args(["-e", "-o", "pipefail", "-c", &script])
            .current_dir(&dir)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.project.home())
            .env("XDG_CACHE_HOME", dir.join(".cache"))
            .env("CI", "true")
            .env("CI_API_V4_URL", &self.server.url)
            .env("CI_PROJECT_ID", "42")
            .env("CI_PROJECT_DIR", &dir)
            .env("CI_PROJECT_URL", "https://gl.test/acme/agents")
            .env("CI_COMMIT_SHA", head(&dir))
            .env("CI_PIPELINE_ID", "900")
            .env("CI_JOB_URL", "https://gl.test/acme/agents/-/jobs/3")
            .env("ANYREACH_API_URL", &self.service.url)
            .env("ANYREACH_TOKEN", SECRETS[0])
            .env("GITLAB_TOKEN", "glpat-token-4711")
            .envs(variables.iter().copied());
        let ran = Ran::of(command.output().unwrap());
        assert!(!ran.stdout.contains("not committed") && !ran.stderr.contains("not committed"), "{ran:#?}");
        ran
    }
}

#[test]
fn a_merge_request_gets_a_note_with_its_plan() {
    let pipeline = Pipeline::new();
    let run = || pipeline.runs("plan", &[("CI_MERGE_REQUEST_IID", "7"), ("CI_PIPELINE_SOURCE", "merge_request_event")]);
    run().ends(0).says("Comment created (planned) on !7");
    // Another push: the files of the job before are still there.
    run().ends(0).says("on !7");
    let notes = pipeline.gitlab.with(|gitlab| gitlab.notes.clone());
    let body = notes[0]["body"].as_str().unwrap();
    assert!(notes.len() == 1 && body.contains("1 to create") && !body.contains("not committed"), "{body}");
    // A mistake fails the job, and the note says so.
    pipeline.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    run().ends(1);
    let body = pipeline.gitlab.with(|gitlab| gitlab.notes[0]["body"].as_str().unwrap().to_owned());
    assert!(body.contains(" state=failed "), "{body}");
}

#[test]
fn a_merge_request_of_a_fork_gets_the_offline_difference() {
    let pipeline = Pipeline::new();
    let base = head(&pipeline.project.dir());
    pipeline.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    git(&pipeline.project.dir(), &["commit", "-q", "-a", "-m", "five"]);
    let without = [("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str()), ("ANYREACH_TOKEN", ""), ("GITLAB_TOKEN", "")];
    pipeline.runs("difference", &without).ends(0).says("max_tool_steps");
    assert!(pipeline.service.sandbox.log().is_empty());
}

#[test]
fn what_is_planned_on_main_is_applied_by_the_button_and_drift_becomes_an_issue() {
    let pipeline = Pipeline::new();
    pipeline.runs("plan-prod", &[]).ends(0);
    pipeline.runs("apply-prod", &[]).ends(0).says("Apply: 1 applied");
    pipeline.runs("drift-prod", &[]).ends(0);
    assert!(pipeline.gitlab.with(|gitlab| gitlab.issues.is_empty()));
    pipeline.service.dashboard_edit("/agent/max_tool_steps", json!(9));
    // 2 is the warning that `allow_failure` names; without an issue it is a failure.
    assert_eq!(pipeline.recipe["drift-prod"]["allow_failure"]["exit_codes"], json!([2]));
    pipeline.runs("drift-prod", &[]).ends(2).says("Issue #1 opened");
    pipeline.runs("drift-prod", &[("GITLAB_TOKEN", "")]).ends(1).says("nobody would learn");
}
