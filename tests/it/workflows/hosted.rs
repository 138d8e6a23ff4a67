//! Runs workflow files as GitHub would: an event starts those that listen to it, jobs wait for the jobs that they need,
//! each on a machine of its own, and steps are this action, the few actions of others that recipes use, or scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::expression::{Scope, holds, text};
use super::{Document, OUR_ACTION, document, root};
use crate::action::runner::{Done, FORGE_TOKEN, Repository};
use crate::cli::diff::{git, head};
use crate::cli::program::{MANIFEST, Ran, SECRETS};

/// Secrets of the repository, as `docs/setup.md` names them.
const READING: [&str; 2] = ["ANYREACH_READ_TOKEN_STAGING", "ANYREACH_READ_TOKEN_PROD"];

/// The project of the quickstart in two environments. They share a service here, and a number is in one of them alone.
const PROJECT: &str = "version: 1\nproject: quickstart-riverside\nenvironments:\n  staging:\n    token: \
    ANYREACH_TOKEN_STAGING\n    variables: {front_desk: \"+15550100199\"}\n  prod:\n    token: ANYREACH_TOKEN_PROD\n    \
    variables: {front_desk: \"+15550100199\"}\n";
const STAGING: &str = "environments:\n  staging:\n    name: Riverside on staging\n    phone_numbers: {inbound: [], \
    outbound: []}\n";

/// A repository on GitHub with the recipes in it.
pub(super) struct Hosted {
    pub(super) repository: Repository,
    origin: tempfile::TempDir,
    artifacts: tempfile::TempDir,
    _programs: tempfile::TempDir,
    runs: u64,
    /// A job that does not get to its steps, and how it ends instead.
    pub(super) cut: Option<(&'static str, &'static str)>,
}

/// What causes a run.
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) payload: Value,
    /// The commit of the run.
    pub(super) sha: String,
    /// Whether the run gets secrets.
    pub(super) is_trusted: bool,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    jobs: BTreeMap<String, Job>,
}

#[derive(Debug)]
struct Job {
    conclusion: &'static str,
    outputs: Value,
    /// The runs of our action.
    done: Vec<Done>,
    ran: Vec<Ran>,
}

impl Job {
    /// What a job that needs it sees of it.
    fn as_needed(&self) -> Value {
        json!({"outputs": self.outputs, "result": self.conclusion})
    }
}

impl Run {
    #[track_caller]
    pub(super) fn ends(self, jobs: &[(&str, &str)]) -> Self {
        let ended: Vec<(&str, &str)> = self.jobs.iter().map(|(name, job)| (name.as_str(), job.conclusion)).collect();
        assert_eq!(ended, jobs, "{self:#?}");
        self
    }

    /// The runs of our action in a job.
    #[track_caller]
    pub(super) fn of(&self, job: &str) -> &[Done] {
        &self.jobs[job].done
    }
}

impl Hosted {
    pub(super) fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        let mut repository = Repository::new();
        repository.github.with(|github| github.pulls.clear());
        let (origin, artifacts, programs) = (folder(), folder(), folder());
        let project = &repository.project;
        project.write("reachform.yaml", PROJECT);
        project.write(MANIFEST, format!("{}{STAGING}", project.read(MANIFEST)));
        for file in ["reachform.yaml", MANIFEST, "prompts/riverside.md"] {
            let path = origin.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, project.read(file)).unwrap();
        }
        git(origin.path(), &["init", "-q", "-b", "main"]);
        git(origin.path(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        git(origin.path(), &["add", "-A"]);
        git(origin.path(), &["commit", "-q", "-m", "first"]);
        // Building the program takes minutes: whoever installs it here gets the one that is tested.
        let cargo = programs.path().join("cargo");
        let script = format!(
            "#!/usr/bin/env bash\nset -e\nwhile [[ $1 != --root ]]; do shift; done\nmkdir -p \"$2/bin\"\nln -sf '{}' \
             \"$2/bin/reachform\"\n",
            assert_cmd::cargo::cargo_bin!("reachform").display()
        );
        std::fs::write(&cargo, script).unwrap();
        std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        repository.set("PATH", &format!("{}:/usr/bin:/bin", programs.path().display()));
        Self { repository, origin, artifacts, _programs: programs, runs: 100, cut: None }
    }

    fn origin(&self) -> &Path {
        self.origin.path()
    }

    /// Replaces text in the manifest on a branch from main, and opens a pull request of it.
    pub(super) fn opens(&self, number: u64, from: &str, to: &str, repository: &str) {
        let branch = format!("change-{number}");
        git(self.origin(), &["checkout", "-q", "-B", &branch, "main"]);
        let path = self.origin().join(MANIFEST);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{from}");
        std::fs::write(path, before.replacen(from, to, 1)).unwrap();
        git(self.origin(), &["commit", "-q", "-a", "-m", &branch]);
        self.repository.github.with(|github| github.add_pull(number, &head(self.origin()), repository, &branch));
        git(self.origin(), &["checkout", "-q", "main"]);
    }

    fn pull(&self, number: u64) -> Value {
        self.repository.github.with(|github| github.pulls.iter().find(|pull| pull["number"] == number).unwrap().clone())
    }

    /// The event of a pull request: its run gets a merge with main, which nobody has seen.
    pub(super) fn at_pull_request(&self, number: u64) -> Event {
        git(self.origin(), &["checkout", "-q", "--detach", "main"]);
        git(self.origin(), &["merge", "-q", "--no-ff", "-m", "test merge", &format!("change-{number}")]);
        let sha = head(self.origin());
        git(self.origin(), &["checkout", "-q", "main"]);
        let mut pull = self.pull(number);
        pull["user"] = json!({"login": "ann"});
        pull["base"] = json!({"repo": {"full_name": "acme/agents"}});
        let is_trusted = pull["head"]["repo"]["full_name"] == "acme/agents";
        Event { name: "pull_request", payload: json!({ "pull_request": pull }), sha, is_trusted }
    }

    /// The merge queue has made a commit of several pull requests, the last of which gives it its name.
    pub(super) fn at_group(&self, numbers: &[u64]) -> Event {
        git(self.origin(), &["checkout", "-q", "-B", "queue", "main"]);
        for number in numbers {
            git(self.origin(), &["merge", "-q", "--no-ff", "-m", "merge", &format!("change-{number}")]);
            let sha = head(self.origin());
            self.repository.github.with(|github| {
                let pull = github.pulls.iter_mut().find(|pull| pull["number"] == *number).unwrap();
                pull["merge_commit_sha"] = json!(sha);
            });
        }
        let sha = head(self.origin());
        git(self.origin(), &["checkout", "-q", "main"]);
        let last = numbers.last().unwrap();
        let group = json!({"head_ref": format!("refs/heads/gh-readonly-queue/main/pr-{last}-ab"), "head_sha": sha});
        Event { name: "merge_group", payload: json!({ "merge_group": group }), sha, is_trusted: true }
    }

    /// Pull requests are merged into main and pushed at once.
    pub(super) fn merges(&self, numbers: &[u64]) -> Event {
        self.pushes(numbers, self.at_group(numbers))
    }

    /// The merge queue pushes the commit that it had checked.
    pub(super) fn pushes(&self, numbers: &[u64], group: Event) -> Event {
        git(self.origin(), &["merge", "-q", "--ff-only", "queue"]);
        let commits: Vec<Value> = self.repository.github.with(|github| {
            let merged = github.pulls.iter_mut().filter(|pull| numbers.iter().any(|number| pull["number"] == *number));
            let close = |pull: &mut Value| {
                pull["merged_at"] = json!("2026-11-24T06:00:00Z");
                pull["state"] = json!("closed");
                [json!({"id": pull["head"]["sha"]}), json!({"id": pull["merge_commit_sha"]})]
            };
            merged.flat_map(close).collect()
        });
        let payload = json!({"ref": "refs/heads/main", "commits": commits});
        Event { name: "push", payload, sha: group.sha, is_trusted: true }
    }

    /// Something that happens on the default branch.
    pub(super) fn at_main(&self, name: &'static str, payload: Value) -> Event {
        Event { name, payload, sha: head(self.origin()), is_trusted: true }
    }

    /// A run of another workflow has ended.
    pub(super) fn after(&self, run: &Run, number: u64) -> Event {
        let pull = self.pull(number);
        let branch = pull["head"]["label"].as_str().unwrap().split_once(':').unwrap().1.to_owned();
        let conclusion = if run.jobs.values().all(|job| job.conclusion == "success") { "success" } else { "failure" };
        let of = json!({"id": run.id, "run_attempt": 1, "event": "pull_request", "conclusion": conclusion,
            "head_sha": pull["head"]["sha"], "head_branch": branch, "pull_requests": [],
            "head_repository": {"full_name": pull["head"]["repo"]["full_name"], "owner": {"login": "eve"}}});
        self.at_main("workflow_run", json!({ "workflow_run": of }))
    }

    /// Runs a recipe, which must listen to the event.
    pub(super) fn runs(&mut self, recipe: &str, event: &Event) -> Run {
        let recipe = document(&root().join("examples/workflows").join(recipe));
        assert!(recipe.events().contains(&event.name), "{} does not listen to {}", recipe.name, event.name);
        self.runs += 1;
        let id = self.runs;
        let reference = event.payload["ref"].as_str().unwrap_or(match event.name {
            "pull_request" => "refs/pull/12/merge",
            "merge_group" => "refs/heads/gh-readonly-queue/main/pr-13-ab",
            _ => "refs/heads/main",
        });
        self.repository.event(id, event.name, &event.payload).set("GITHUB_SHA", &event.sha);
        self.repository.set("GITHUB_REF", reference);
        self.repository.set("GITHUB_BASE_REF", if event.name == "pull_request" { "main" } else { "" });
        let mut run = Run { id, jobs: BTreeMap::new() };
        let mut names = json!({
            "github": {"event": event.payload, "event_name": event.name, "ref": reference, "token": FORGE_TOKEN,
                "repository": "acme/agents", "sha": event.sha},
            "inputs": event.payload.get("inputs").cloned().unwrap_or_else(|| json!({})),
            "runner": {"temp": self.repository.variables()["RUNNER_TEMP"]},
        });
        for (name, job) in recipe.jobs() {
            let needs: Vec<&str> = job["needs"]
                .as_array()
                .map(|needs| needs.iter().map(|need| need.as_str().unwrap()).collect())
                .unwrap_or_default();
            names["needs"] = needs.iter().map(|need| ((*need).to_owned(), run.jobs[*need].as_needed())).collect();
            names["secrets"] = secrets(job, event);
            names["steps"] = json!({});
            let ended = |conclusion| needs.iter().any(|need| run.jobs[*need].conclusion == conclusion);
            let scope = Scope { names: &names, failed: ended("failure"), skipped: ended("skipped") };
            for place in [&recipe.value["concurrency"]["group"], &job["concurrency"]["group"]] {
                let _known = place.as_str().map(|group| text(group, &scope));
            }
            let cut = self.cut.filter(|(cut, _)| *cut == name).map(|(_, conclusion)| conclusion);
            let job = if !holds(job["if"].as_str(), &scope) {
                Job { conclusion: "skipped", outputs: json!({}), done: Vec::new(), ran: Vec::new() }
            } else if let Some(conclusion) = cut {
                Job { conclusion, outputs: json!({}), done: Vec::new(), ran: Vec::new() }
            } else {
                self.job(&recipe, job, event, id, &mut names)
            };
            run.jobs.insert(name.to_owned(), job);
        }
        run
    }

    fn job(&mut self, recipe: &Document, job: &Value, event: &Event, run: u64, names: &mut Value) -> Job {
        self.clean_machine();
        let mut ended = Job { conclusion: "success", outputs: json!({}), done: Vec::new(), ran: Vec::new() };
        for (index, step) in job["steps"].as_array().unwrap().iter().enumerate() {
            let scope = Scope { names, failed: ended.conclusion == "failure", skipped: false };
            if !holds(step["if"].as_str(), &scope) {
                continue;
            }
            let with: BTreeMap<String, String> = given(&step["with"], &scope);
            let uses = step["uses"].as_str().unwrap_or_default();
            let action = uses.split('@').next().unwrap();
            let mut failed = false;
            match action {
                "" => {
                    let environment = given(&step["env"], &scope);
                    let script = step["run"].as_str().unwrap();
                    let mut command = self.repository.bash(&format!("script-{index}"), script, &environment);
                    if let Some(folder) = step["working-directory"].as_str() {
                        command.current_dir(text(folder, &scope));
                    }
                    let ran = Ran::of(command.output().unwrap());
                    failed = ran.code != 0;
                    ended.ran.push(ran);
                }
                "actions/checkout" => self.checkout(&with, event),
                "actions/upload-artifact" => failed = !self.upload(&with, run),
                "actions/download-artifact" => self.download(&with, run),
                _ if uses == OUR_ACTION => {
                    let with: Vec<(&str, &str)> =
                        with.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    let done = self.repository.runs_without_credential(&with);
                    failed = done.ran.code != 0;
                    if let Some(id) = step["id"].as_str() {
                        names["steps"][id] = json!({"outputs": done.outputs});
                    }
                    ended.done.push(done);
                }
                other => panic!("{}: the action `{other}` is not known here", recipe.name),
            }
            if failed {
                ended.conclusion = "failure";
            }
        }
        let scope = Scope { names, failed: false, skipped: false };
        ended.outputs = json!(given(&job["outputs"], &scope));
        ended
    }

    /// Each job gets a new machine: an empty workspace, and a temporary folder with nothing in it but the program.
    fn clean_machine(&self) {
        let temp = PathBuf::from(&self.repository.variables()["RUNNER_TEMP"]);
        for folder in [&temp, &self.repository.project.dir()] {
            std::fs::remove_dir_all(folder).unwrap();
            std::fs::create_dir_all(folder).unwrap();
        }
        self.repository.put_the_program_where_it_is_looked_for();
    }

    fn checkout(&self, with: &BTreeMap<String, String>, event: &Event) {
        let dir = self.repository.project.dir();
        let url = format!("file://{}", self.origin().display());
        git(&dir, &["init", "-q"]);
        git(&dir, &["remote", "add", "origin", &url]);
        let is_whole = with.get("fetch-depth").is_some_and(|depth| depth == "0");
        if is_whole {
            git(&dir, &["fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", &event.sha]);
        } else {
            git(&dir, &["fetch", "-q", "--depth=1", "origin", &event.sha]);
        }
        git(&dir, &["checkout", "-q", "--detach", &event.sha]);
    }

    fn artifact(&self, run: &str, name: &str) -> PathBuf {
        self.artifacts.path().join(run).join(name)
    }

    /// Whether there was something to upload, all of it from one folder.
    fn upload(&self, with: &BTreeMap<String, String>, run: u64) -> bool {
        let folder = self.artifact(&run.to_string(), &with["name"]);
        std::fs::create_dir_all(&folder).unwrap();
        let copies =
            with["path"].lines().map(Path::new).map(|path| std::fs::copy(path, folder.join(path.file_name().unwrap())));
        copies.collect::<Vec<_>>().iter().all(Result::is_ok)
    }

    fn download(&self, with: &BTreeMap<String, String>, run: u64) {
        let from = self.artifact(with.get("run-id").unwrap_or(&run.to_string()), &with["name"]);
        std::fs::create_dir_all(&with["path"]).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, Path::new(&with["path"]).join(path.file_name().unwrap())).unwrap();
        }
    }

    /// The bodies of the comments on a pull request.
    pub(super) fn comments(&self, number: u64) -> Vec<String> {
        self.repository.github.with(|github| github.bodies(number))
    }

    /// The comments, in the order in which they were made, with the states that they are in.
    #[track_caller]
    pub(super) fn comments_say(&self, number: u64, states: &[&str]) -> Vec<String> {
        let comments = self.comments(number);
        let said: Vec<&str> =
            comments.iter().map(|body| body.split_once(" state=").unwrap().1.split(' ').next().unwrap()).collect();
        assert_eq!(said, states, "{comments:#?}");
        comments
    }
}

/// The keys that read are the repository's; one that writes is given to jobs of its protected environment alone.
fn secrets(job: &Value, event: &Event) -> Value {
    if !event.is_trusted {
        return json!({});
    }
    let mut secrets: BTreeMap<String, &str> = READING.iter().map(|name| ((*name).to_owned(), SECRETS[0])).collect();
    if let Some(environment) = job["environment"].as_str() {
        secrets.insert(format!("ANYREACH_TOKEN_{}", environment.to_uppercase()), SECRETS[0]);
    }
    json!(secrets)
}

fn given(map: &Value, scope: &Scope<'_>) -> BTreeMap<String, String> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |template| text(template, scope));
    map.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), shown(value))).collect()
}
