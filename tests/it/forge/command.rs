//! The program, with a forge on a socket: `comment`, from the documents that `plan` and `apply` write.

use serde_json::{Value, json};

use super::github::{BOT, GitHub};
use super::gitlab::GitLab;
use super::standin::{Fault, Server, StandIn, refusal};
use super::{pull_request, sha};
use crate::cli::diff::git;
use crate::cli::program::{MANIFEST, Project, Ran};
use reachform::http::Method;

/// A project on GitHub, and the runs that come and go.
pub(super) struct Repository {
    pub(super) github: StandIn<GitHub>,
    _server: Server,
    url: String,
    pub(super) project: Project,
}

impl Repository {
    pub(super) fn new() -> Self {
        let github = GitHub::stand_in();
        github.with(|github| github.add_pull(12, &sha("a"), "acme/agents", "fix"));
        let server = github.serve();
        Self { url: server.url.clone(), github, _server: server, project: Project::quickstart() }
    }

    /// The pipeline of one run: its id, its event, and what that says.
    fn pipeline(mut self, run: u64, event: &str, payload: &Value) -> Self {
        self.project.write("event.json", payload.to_string());
        let path = self.project.path("event.json").display().to_string();
        let workspace = self.project.dir().display().to_string();
        let (url, run) = (self.url.clone(), run.to_string());
        let merge = "d".repeat(40);
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", url.as_str()),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/agents"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", path.as_str()),
            ("GITHUB_SHA", merge.as_str()),
            ("GITHUB_RUN_ID", run.as_str()),
            ("GITHUB_WORKSPACE", workspace.as_str()),
            ("GITHUB_TOKEN", "ghs_forge-token-0815"),
        ];
        for (name, value) in variables {
            self.project = self.project.with(name, value);
        }
        self
    }

    pub(super) fn at_push(self, run: u64, head: &str) -> Self {
        self.github.with(|github| github.push(12, &sha(head)));
        self.pipeline(run, "pull_request", &pull_request(12, &sha(head)))
    }

    #[track_caller]
    pub(super) fn runs(&self, arguments: &[&str]) -> Ran {
        let ran = self.project.run(arguments);
        assert!(!ran.stdout.contains("ghs_forge") && !ran.stderr.contains("ghs_forge"), "the token is shown: {ran:?}");
        ran
    }

    /// The one comment.
    #[track_caller]
    pub(super) fn comment(&self) -> String {
        let mut bodies = self.github.with(|github| github.bodies(12));
        assert_eq!(bodies.len(), 1, "{bodies:#?}");
        bodies.pop().unwrap()
    }

    #[track_caller]
    fn says(&self, state: &str, words: &[&str]) {
        let body = self.comment();
        assert!(body.starts_with("<!-- reachform:comment v=1 key="), "{body}");
        assert!(body.contains(&format!(" state={state} ")), "{state}: {body}");
        for word in words {
            assert!(body.contains(word), "`{word}` is not in {body}");
        }
        crate::render::markdown::check(&body);
    }
}

#[test]
fn a_comment_goes_through_the_life_of_a_pull_request() {
    let repository = Repository::new().at_push(20, "a");
    repository.runs(&["comment", "--sandbox", "--state", "planning"]).ends(0).says("Comment created (planning)");
    repository.says("planning", &["### Agents plan · `demo` — planning", "Commit [`aaaaaaa`]", "actions/runs/20"]);

    repository.project.edit(MANIFEST, "name: Riverside Dental Scheduler", "name: Riverside Dental");
    repository.runs(&["plan", "--sandbox", "--json-out", "plan.json"]).ends(0);
    let told = repository.runs(&["comment", "plan.json", "--sandbox", "--json"]).ends(0).json();
    assert_eq!((&told["outcome"], &told["state"]), (&json!("updated"), &json!("planned")));
    assert_eq!((&told["pull_request"], &told["warnings"]), (&json!(12), &json!([])));
    assert!(told["comment_url"].as_str().unwrap().contains("#issuecomment-"));
}

#[test]
fn a_plan_that_became_empty_leaves_no_old_one_standing() {
    let repository = planned();
    repository.says("planned", &["— 1 to create", "agent.riverside", "Plan hash"]);
    repository.runs(&["apply", "--sandbox", "--auto-approve", "--json-out", "report.json"]).ends(0);
    let repository = repository.at_push(21, "b");
    repository.runs(&["plan", "--sandbox", "--json-out", "plan.json"]).ends(0);
    // Even where only changes are to be told, for there is a comment already.
    repository.runs(&["comment", "plan.json", "--sandbox", "--mode", "changes"]).ends(0).says("Comment updated");
    repository.says("planned", &["no changes · 1 unchanged", "Earlier runs: [20]("]);
    assert!(!repository.comment().contains("to create · "));
    repository.github.take_writes();
    repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment unchanged");
    assert!(repository.github.take_writes().is_empty());
}

/// A repository whose comment shows a plan.
fn planned() -> Repository {
    let repository = Repository::new().at_push(20, "a");
    repository.runs(&["plan", "--sandbox", "--json-out", "plan.json"]).ends(0);
    repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0);
    repository
}

#[test]
fn an_error_replaces_the_plan_that_stood_there() {
    let repository = planned().at_push(21, "b");
    repository.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    repository.runs(&["plan", "--sandbox", "--json-out", "error.json"]).ends(1);
    repository.runs(&["comment", "error.json", "--sandbox"]).ends(0).says("Comment updated (failed)");
    repository.says("failed", &["### Agents plan · `demo` — failed", "nothing was planned", "Commit [`bbbbbbb`]"]);
    repository.says(
        "failed",
        &[
            "- **error** `agents/riverside.yaml:",
            "`phone_number`",
            "`unknown-field`)\n  - did you mean `phone_numbers`?\n",
        ],
    );
    assert!(!repository.comment().contains("to create"));
    repository.runs(&["comment", "--sandbox", "--state", "superseded", "--message", "cccc"]).ends(0);
    repository.says("superseded", &["Superseded by `cccc`"]);
}

#[test]
fn a_merge_is_applied_and_the_comment_tells_the_versions() {
    let repository = planned();
    repository.github.with(|github| {
        github.pulls[0]["merge_commit_sha"] = json!("d".repeat(40));
        github.pulls[0]["merged_at"] = json!("2026-11-24T06:00:00Z");
        github.pulls[0]["state"] = json!("closed");
    });
    let repository = repository.pipeline(30, "push", &json!({"ref": "refs/heads/main"}));
    repository.runs(&["comment", "--sandbox", "--state", "applying"]).ends(0);
    repository.says("applying", &["### Agents apply · `demo` — applying"]);
    repository.runs(&["apply", "--sandbox", "--auto-approve", "--json-out", "report.json"]).ends(0);
    repository.runs(&["comment", "report.json", "--sandbox"]).ends(0);
    repository.says("applied", &["— applied 1 of 1", "| v1 live |", "Commit [`ddddddd`]", "Earlier runs: [20]("]);
    // The plan's run ends last.
    let repository = repository.at_push(20, "a");
    repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment superseded");
    repository.says("applied", &[]);
}

#[test]
fn a_refused_apply_shows_how_the_plans_differ_and_the_plan_as_it_is_now() {
    let repository = planned();
    let hash = format!("sha256:{}", "0".repeat(64));
    repository.runs(&["plan", "--sandbox", "--json-out", "now.json"]).ends(0);
    let refused = ["apply", "--sandbox", "--approved-plan", &hash, "--json-out", "error.json"];
    repository.runs(&refused).ends(3);
    repository.runs(&["comment", "error.json", "--plan", "now.json", "--sandbox"]).ends(0).says("(refused)");
    let now: Value = serde_json::from_str(&repository.project.read("now.json")).unwrap();
    repository.says(
        "refused",
        &["**Nothing was changed.**", "this is not the plan that was approved", "The plan as it is now"],
    );
    repository.says("refused", &[now["plan_hash"].as_str().unwrap()]);
}

#[test]
fn what_the_forge_refuses_is_a_warning_and_no_failure() {
    let repository = planned();
    let accepted = [("x-accepted-github-permissions", "issues=write; pull_requests=write")];
    for (status, message, headers, code) in [
        (403, "Resource not accessible by integration", &accepted[..], "forge-forbidden"),
        (422, "Validation Failed", &[], "forge-refused"),
        (
            403,
            "API rate limit exceeded",
            &[("x-ratelimit-remaining", "0"), ("retry-after", "9000")],
            "forge-rate-limited",
        ),
    ] {
        repository.github.fault(Method::Patch, "/1001", Fault::Answer(refusal(status, message, headers)));
        let ran = repository.runs(&["comment", "--state", "failed", "--sandbox", "--json"]).ends(0);
        let told = ran.json();
        assert_eq!((&told["outcome"], &told["warnings"][0]["code"]), (&json!("not-posted"), &json!(code)), "{ran:?}");
        assert!(ran.stderr.starts_with("warning: could not edit the comment on #12\n"), "{}", ran.stderr);
    }
    // A number that cannot be found says how it was looked for.
    let repository = repository.pipeline(40, "push", &json!({"ref": "refs/heads/main"}));
    let ran = repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0);
    let wanted = format!(
        "warning: could not find the pull request to post on\n  caused by: the event `push` names none\n  caused by: of \
         the commit {} there is no pull request\nhint: name it: `--pull-request N`\n::warning title=reachform::could not",
        "d".repeat(40)
    );
    assert!(ran.stderr.starts_with(&wanted), "{}", ran.stderr);
}

#[test]
fn a_job_that_is_wired_wrongly_fails() {
    let repository = planned();
    let project = Project::quickstart();
    project.run(&["comment", "--state", "planning"]).ends(1).says("neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set");
    let project = project.with("GITHUB_REPOSITORY", "acme/agents");
    project.run(&["comment", "--state", "planning"]).ends(1).says("GITHUB_TOKEN or GH_TOKEN is not set");
    project.run(&["comment"]).ends(64).says("there is nothing to post");
    project.run(&["comment", "--state", "applied"]).ends(64);
    project.run(&["comment", "--state", "planning", "--pull-request", "0"]).ends(64);
    project.run(&["comment", "--state", "planning", "--pull-request", "1; rm"]).ends(64);
    project.write("odd.json", r#"{"format_version": "2.0"}"#);
    project.run(&["comment", "odd.json"]).ends(1).says("its format version is `2.0`");
    let mut edited: Value = serde_json::from_str(&repository.project.read("plan.json")).unwrap();
    edited["plan_hash"] = json!(format!("sha256:{}", "1".repeat(64)));
    project.write("edited.json", edited.to_string());
    project.run(&["comment", "edited.json"]).ends(1).says("it was edited");
    project.run(&["comment", "edited.json", "--mode", "off"]).ends(1);
}

/// The event of a job that follows one of eve's fork, whose pull request is #13.
fn after_a_strangers_job() -> Value {
    json!({"workflow_run": {"id": 60, "head_sha": sha("e"), "head_branch": "evil", "pull_requests": [],
        "head_repository": {"full_name": "eve/agents", "owner": {"login": "eve"}}}})
}

/// Commits the project and writes the offline difference of a change to it.
fn differ(repository: &Repository) {
    let dir = repository.project.dir();
    git(&dir, &["init", "-q", "-b", "main"]);
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "first"]);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 6");
    repository.runs(&["diff", "--base", "HEAD", "--json-out", "difference.json"]).ends(0);
}

#[test]
fn the_job_after_a_strangers_job_posts_a_difference_and_nothing_else_whatever_the_artifact_holds() {
    let repository = planned();
    repository.runs(&["apply", "--sandbox", "--auto-approve", "--json-out", "report.json"]).ends(0);
    repository.project.write("error.json", r#"{"format_version": "1.0", "error": {"message": "m", "exit_code": 1}}"#);
    repository.project.write("evil.md", "@everyone look at https://evil.example\n");
    differ(&repository);
    repository.github.with(|github| github.add_pull(13, &sha("e"), "eve/agents", "evil"));
    let repository = repository.pipeline(61, "workflow_run", &after_a_strangers_job());
    repository.github.take_writes();
    for (file, kind) in
        [("report.json", "the report of an apply"), ("plan.json", "a plan"), ("evil.md", "finished Markdown")]
    {
        let refused = format!("refused: {kind} is not posted from a `workflow_run` job");
        repository.runs(&["comment", file, "--sandbox"]).ends(1).says(&refused);
        // Whatever it claims to be, and whatever it was said to be.
        repository.runs(&["comment", file, "--sandbox", "--expect", "difference"]).ends(1).says("was expected");
    }
    repository.runs(&["comment", "plan.json", "--expect", "plan"]).ends(1).says("refused: a plan is not posted");
    repository.runs(&["comment", "--state", "refused", "--plan", "plan.json"]).ends(1).says("refused: a plan");
    repository.runs(&["comment", "difference.json", "--plan", "plan.json"]).ends(1).says("refused: a plan");
    repository.runs(&["comment", "error.json", "--sandbox"]).ends(1);
    assert_eq!(repository.github.take_writes(), Vec::<String>::new());

    let difference = ["comment", "difference.json", "--expect", "difference"];
    let on = |number: &'static str| [&difference[..], &["--pull-request", number]].concat();
    repository.runs(&on("12")).ends(0).says("another repository");
    assert_eq!(repository.github.with(|github| github.on(13).len()), 0);
    repository.runs(&on("13")).ends(0).says("Comment created");
    assert!(repository.github.with(|github| github.bodies(13))[0].contains(" run=60 "));
}

#[test]
fn a_difference_never_stands_where_a_plan_or_an_apply_does() {
    let repository = planned();
    differ(&repository);
    repository.runs(&["comment", "difference.json", "--sandbox"]).ends(0).says("Comment created");
    let bodies = repository.github.with(|github| github.bodies(12));
    assert_eq!(bodies.len(), 2, "{bodies:#?}");
    assert!(bodies[0].contains("### Agents plan · `demo`") && bodies[1].contains("### Agents difference · `demo`"));
    // Edited in its own place, and the plan's in that of the plan.
    repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment unchanged");
    repository.runs(&["comment", "difference.json", "--sandbox"]).ends(0).says("Comment unchanged");
}

#[test]
fn a_file_of_another_kind_than_the_one_expected_is_refused_anywhere() {
    let repository = planned();
    repository.github.take_writes();
    for kind in ["apply", "difference", "error", "markdown"] {
        repository.runs(&["comment", "plan.json", "--sandbox", "--expect", kind]).ends(1).says("holds a plan, and");
    }
    assert_eq!(repository.github.take_writes(), Vec::<String>::new());
    repository.runs(&["comment", "plan.json", "--sandbox", "--expect", "plan"]).ends(0).says("Comment unchanged");
    repository.runs(&["comment", "--state", "planning", "--expect", "plan"]).ends(64);
}

#[test]
fn the_difference_that_a_strangers_job_made_is_posted_as_its_document() {
    let repository = Repository::new();
    repository.github.with(|github| github.add_pull(13, &sha("e"), "eve/agents", "evil"));
    let dir = repository.project.dir();
    git(&dir, &["init", "-q", "-b", "main"]);
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "first"]);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 6");
    repository.project.edit(MANIFEST, "name: Riverside Dental Scheduler", "name: \"@everyone <img src=x> ::error::\"");
    repository.project.write("agents/new.yaml", "key: new\nname: New\nphone_numbers: {inbound: [\"+15550002222\"]}\n");
    let markdown = ["diff", "--base", "HEAD", "--json-out", "difference.json", "--markdown", "difference.md"];
    repository.runs(&markdown).ends(0);

    let repository = repository.pipeline(61, "workflow_run", &after_a_strangers_job());
    repository.runs(&["comment", "difference.json"]).ends(0).says("Comment created (planned)");
    let body = repository.github.with(|github| github.bodies(13)).pop().unwrap();
    for words in [
        "### Offline difference of a fork, the service was not asked · `demo` — 1 changed, 1 added",
        "nothing here was checked",
        "+15550002222",
    ] {
        assert!(body.contains(words), "{words}: {body}");
    }
    crate::render::markdown::check(&body);
    // Read back, it is told as the job itself would have told it, but for the run that it names.
    let told = repository.project.read("difference.md");
    let list = |text: &str| {
        let is_change = |line: &&str| line.starts_with("- ") || line.contains("<b>");
        text.lines().filter(is_change).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(list(&told).len() > 3, "{told}");
    for line in list(&told).iter().filter(|line| !line.starts_with("<details")) {
        assert!(body.contains(line.as_str()), "{line}: {body}");
    }

    let bent = repository.project.read("difference.json").replace("\"fate\": \"added\"", "\"fate\": \"blessed\"");
    repository.project.write("bent.json", bent);
    repository
        .runs(&["comment", "bent.json"])
        .ends(1)
        .says("it is a difference, but not in the form that reachform writes");
}

#[test]
fn the_summary_is_appended_to_and_never_grows_beyond_what_the_runner_keeps() {
    let mut repository = planned();
    let summary = repository.project.path("summary.md").display().to_string();
    repository.project = repository.project.with("GITHUB_STEP_SUMMARY", &summary);
    repository.project.write("summary.md", "before\n");
    repository.runs(&["comment", "plan.json", "--sandbox", "--mode", "off", "--summary"]).ends(0).says("skipped");
    let text = repository.project.read("summary.md");
    assert!(text.starts_with("before\n") && text.contains("### Agents plan"));
    repository.project.write("summary.md", "x".repeat(999_990));
    let ran = repository.runs(&["comment", "plan.json", "--sandbox", "--mode", "off", "--summary"]).ends(0);
    assert!(ran.stderr.contains("is full"), "{ran:?}");
    assert_eq!(repository.project.read("summary.md").len(), 999_990);
}

#[test]
fn markdown_that_plan_has_written_is_posted_under_our_marker() {
    let repository = planned();
    repository.runs(&["plan", "--sandbox", "--markdown", "plan.md"]).ends(0);
    assert!(repository.project.read("plan.md").contains("Commit [`aaaaaaa`]"));
    repository.runs(&["comment", "plan.md", "--sandbox"]).ends(0).says("(planned)");
    repository.says("planned", &["— 1 to create", " hash=sha256:"]);
    repository.project.write("long.md", "x".repeat(61_000));
    repository.runs(&["comment", "long.md", "--sandbox"]).ends(0).says("and a comment at most 60000");
}

#[test]
fn gitlab_gets_a_note_and_its_report() {
    let gitlab = GitLab::stand_in();
    let server = gitlab.serve();
    let project = Project::quickstart()
        .with("CI_API_V4_URL", &server.url)
        .with("CI_PROJECT_ID", "42")
        .with("CI_PROJECT_URL", "https://gl.test/acme/agents")
        .with("CI_MERGE_REQUEST_IID", "7")
        .with("CI_COMMIT_SHA", &sha("a"))
        .with("CI_PIPELINE_ID", "900")
        .with("CI_JOB_URL", "https://gl.test/acme/agents/-/jobs/3")
        .with("GITLAB_TOKEN", "glpat-token-4711");
    project.run(&["plan", "--sandbox", "--json-out", "plan.json", "--gitlab-report", "report.json"]).ends(0);
    assert_eq!(project.read("report.json"), "{\"create\":1,\"update\":0,\"delete\":0}\n");
    project.run(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment created (planned) on !7");
    project.run(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment unchanged");
    let note = gitlab.with(|gitlab| gitlab.notes[0]["body"].as_str().unwrap().to_owned());
    let commit = note.split_once("hash=").unwrap().1.split_once(' ').unwrap().0.to_owned();
    let steady = note.replace(&commit, "[HASH]").replace(&commit[7..15], "[SHORT]");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/forge/gitlab-note.md");
    if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &steady).unwrap();
    }
    assert_eq!(steady, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn a_comment_that_only_quotes_ours_is_nobodys() {
    let repository = planned();
    let ours = repository.comment();
    repository.github.with(|github| {
        github.comments.clear();
        github.add_comment(12, "eve", &ours);
        github.add_comment(12, BOT, &format!("Look:\n\n{ours}"));
    });
    repository.runs(&["comment", "plan.json", "--sandbox"]).ends(0).says("Comment created");
}
