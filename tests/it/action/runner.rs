//! A runner of composite actions, as far as `action.yml` needs one: expressions in `env:`, `shell: bash`, the files that
//! steps write to, outputs mapped to the action's own. What it does not know, it refuses, so that nothing passes unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::super::cli::diff::git;
use super::super::cli::program::{Project, Ran, SECRETS};
use super::super::cli::service::Server as Service;
use super::super::forge::github::GitHub;
use super::super::forge::standin::{Server, StandIn};

/// The token of the forge, which no run may show.
pub const FORGE_TOKEN: &str = "ghs_forge-token-0815";

/// The commit that a push to the default branch made.
pub const MERGED: char = 'd';

/// The action's folder, as a runner that has downloaded it has it.
pub fn action_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `action.yml`.
pub fn action() -> &'static Value {
    static ACTION: OnceLock<Value> = OnceLock::new();
    ACTION.get_or_init(|| {
        let text = std::fs::read_to_string(action_folder().join("action.yml")).unwrap();
        serde_yaml::from_str(&text).unwrap()
    })
}

/// A repository on GitHub with a project in it, a service, and a runner.
pub struct Repository {
    pub github: StandIn<GitHub>,
    _server: Server,
    pub service: Service,
    pub project: Project,
    runner: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// What a run of the action left behind.
#[derive(Debug)]
pub struct Done {
    pub ran: Ran,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Done {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.ran.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.ran.stdout.contains(words) || self.ran.stderr.contains(words), "`{words}`: {self:#?}");
        self
    }

    #[track_caller]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("no output `{name}`: {self:#?}"))
    }

    /// Holds several outputs at once.
    #[track_caller]
    pub fn gives(self, wanted: &[(&str, &str)]) -> Self {
        for (name, value) in wanted {
            assert_eq!(self.output(name), *value, "{name}: {self:#?}");
        }
        self
    }
}

/// A step that was begun.
pub struct Begun {
    pub child: Child,
    files: Files,
}

#[derive(Clone)]
struct Files {
    output: PathBuf,
    summary: PathBuf,
}

impl Repository {
    /// The quickstart, committed, with an open pull request #12 whose head is `a`, served from sockets.
    pub fn new() -> Self {
        Self::with_service(Service::new())
    }

    pub fn with_service(service: Service) -> Self {
        let github = GitHub::stand_in();
        github.with(|github| github.add_pull(12, &"a".repeat(40), "acme/agents", "fix"));
        let server = github.serve();
        let project = Project::quickstart();
        let dir = project.dir();
        project.write(".gitignore", ".reachform/\n");
        git(&dir, &["init", "-q", "-b", "main"]);
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", "first"]);
        let runner = tempfile::tempdir().unwrap();
        let path = |name: &str| runner.path().join(name).display().to_string();
        std::fs::create_dir_all(path("temp")).unwrap();
        let environment = [
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("HOME", project.home().display().to_string()),
            ("XDG_CACHE_HOME", project.home().join("cache").display().to_string()),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_TOOL_CACHE", path("tools")),
            ("GITHUB_ACTION_PATH", action_folder().display().to_string()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", server.url.clone()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_REPOSITORY", "acme/agents".to_owned()),
            ("GITHUB_WORKSPACE", dir.display().to_string()),
            ("GITHUB_BASE_REF", String::new()),
            ("ANYREACH_API_URL", service.url.clone()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let repository = Self { github, _server: server, service, project, runner, environment };
        repository.put_the_program_where_it_is_looked_for();
        repository
    }

    /// Building the program takes minutes, so that it stands where a run before this one would have put it.
    pub fn put_the_program_where_it_is_looked_for(&self) {
        let place = self
            .bash("script", "bash \"$GITHUB_ACTION_PATH/.github/action/install.sh\" --where", &BTreeMap::new())
            .output()
            .unwrap();
        let place = PathBuf::from(String::from_utf8(place.stdout).unwrap().trim());
        assert!(place.starts_with(self.runner.path()), "{}", place.display());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin!("reachform"), place).unwrap();
    }

    /// What the runner tells every step.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The pipeline of one run: its id, its event, and what that says.
    pub fn event(&mut self, run: u64, name: &str, payload: &Value) -> &mut Self {
        let path = self.runner.path().join("event.json");
        std::fs::write(&path, payload.to_string()).unwrap();
        self.set("GITHUB_EVENT_PATH", &path.display().to_string());
        self.set("GITHUB_EVENT_NAME", name).set("GITHUB_RUN_ID", &run.to_string()).set("GITHUB_JOB", "agents");
        self.set("GITHUB_SHA", &MERGED.to_string().repeat(40))
    }

    /// A commit is pushed to the pull request.
    pub fn at_pull_request(&mut self, run: u64, head: char) -> &mut Self {
        let head = head.to_string().repeat(40);
        self.github.with(|github| github.push(12, &head));
        self.event(run, "pull_request", &crate::forge::pull_request(12, &head))
    }

    /// The pull request is merged, which pushes a commit to the default branch.
    pub fn at_merge(&mut self, run: u64) -> &mut Self {
        self.github.with(|github| {
            github.pulls[0]["merge_commit_sha"] = json!(MERGED.to_string().repeat(40));
            github.pulls[0]["merged_at"] = json!("2026-11-24T06:00:00Z");
            github.pulls[0]["state"] = json!("closed");
        });
        self.event(run, "push", &json!({"ref": "refs/heads/main"}))
    }

    /// Runs the action with these inputs, and the service's credential.
    pub fn runs(&self, with: &[(&str, &str)]) -> Done {
        self.runs_without_credential(&[with, &[("token-anyreach", SECRETS[0])]].concat())
    }

    /// Runs the action with these inputs and no others.
    pub fn runs_without_credential(&self, with: &[(&str, &str)]) -> Done {
        Self::ended(self.begins(with))
    }

    /// Runs the action up to its last step, which goes on.
    pub fn begins(&self, with: &[(&str, &str)]) -> Begun {
        let inputs = inputs(with);
        let mut steps: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let all = action()["runs"]["steps"].as_array().unwrap();
        for (index, step) in all.iter().enumerate() {
            if let Some(uses) = step["uses"].as_str() {
                // The cache has nothing, and what it would keep is where it was looked for.
                assert!(uses.starts_with("actions/cache@"), "{uses}");
                let with = |name: &str| evaluate(step["with"][name].as_str().unwrap(), &inputs, &steps);
                assert!(!with("key").is_empty() && Path::new(&with("path")).starts_with(self.runner.path()));
                continue;
            }
            let id = step["id"].as_str().unwrap();
            assert_eq!(step["shell"], "bash");
            let files = Files {
                output: self.runner.path().join(format!("output-{index}")),
                summary: self.runner.path().join(format!("summary-{index}")),
            };
            for file in [&files.output, &files.summary] {
                std::fs::write(file, "").unwrap();
            }
            let mut environment: BTreeMap<String, String> = step["env"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), evaluate(value.as_str().unwrap(), &inputs, &steps)))
                .collect();
            environment.insert("GITHUB_OUTPUT".to_owned(), files.output.display().to_string());
            environment.insert("GITHUB_STEP_SUMMARY".to_owned(), files.summary.display().to_string());
            let mut command = self.bash(&format!("step-{index}"), step["run"].as_str().unwrap(), &environment);
            if index + 1 == all.len() {
                return Begun { child: command.spawn().unwrap(), files };
            }
            let ran = Ran::of(command.output().unwrap());
            assert_eq!(ran.code, 0, "{ran:#?}");
            steps.insert(id.to_owned(), read_outputs(&files.output));
        }
        panic!("the action has no step");
    }

    /// Waits for the last step and maps its outputs to the action's.
    pub fn ended(begun: Begun) -> Done {
        let ran = Ran::of(begun.child.wait_with_output().unwrap());
        let written = read_outputs(&begun.files.output);
        let last = action()["runs"]["steps"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap();
        let steps = BTreeMap::from([(last.to_owned(), written)]);
        let outputs: BTreeMap<String, String> = action()["outputs"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, output)| (name.clone(), evaluate(output["value"].as_str().unwrap(), &BTreeMap::new(), &steps)))
            .collect();
        let summary = std::fs::read_to_string(&begun.files.summary).unwrap();
        let shown = format!("{}{}{summary}{outputs:?}", ran.stdout, ran.stderr);
        for secret in SECRETS.iter().chain([&FORGE_TOKEN]) {
            assert!(!shown.contains(secret), "a secret is shown: {shown}");
        }
        Done { ran, outputs, summary }
    }

    /// As the runner calls bash: the script in a file, and nothing of the user's own.
    pub fn bash(&self, name: &str, script: &str, environment: &BTreeMap<String, String>) -> Command {
        let path = self.runner.path().join(format!("{name}.sh"));
        std::fs::write(&path, script).unwrap();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(path)
            .current_dir(self.project.dir())
            .env_clear()
            .envs(&self.environment)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The one comment.
    #[track_caller]
    pub fn comment(&self) -> String {
        let mut bodies = self.github.with(|github| github.bodies(12));
        assert_eq!(bodies.len(), 1, "{bodies:#?}");
        bodies.pop().unwrap()
    }

    #[track_caller]
    pub fn comment_says(&self, state: &str, words: &[&str]) {
        let body = self.comment();
        assert!(body.contains(&format!(" state={state} ")), "{state}: {body}");
        for word in words {
            assert!(body.contains(word), "`{word}` is not in {body}");
        }
    }

    /// The check runs: commit, conclusion, plan hash.
    pub fn checks(&self) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.github.with(|github| {
            let checks = github.checks.iter();
            checks.map(|c| (text(&c["head_sha"]), text(&c["conclusion"]), text(&c["external_id"]))).collect()
        })
    }
}

/// The inputs of a step: those that are given, and the defaults of the others.
fn inputs(with: &[(&str, &str)]) -> BTreeMap<String, String> {
    let declared = action()["inputs"].as_object().unwrap();
    let given: BTreeMap<&str, &str> = with.iter().copied().collect();
    for name in given.keys() {
        assert!(declared.contains_key(*name), "`{name}` is no input of the action");
    }
    let value = |name: &String, input: &Value| {
        let usual = input.get("default").map_or("", |text| text.as_str().expect("a default is text"));
        let value = given
            .get(name.as_str())
            .map_or_else(|| evaluate(usual, &BTreeMap::new(), &BTreeMap::new()), |value| (*value).to_owned());
        (name.clone(), value)
    };
    declared.iter().map(|(name, input)| value(name, input)).collect()
}

/// Evaluates what stands between `${{` and `}}`.
fn evaluate(
    text: &str,
    inputs: &BTreeMap<String, String>,
    steps: &BTreeMap<String, BTreeMap<String, String>>,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        out.push_str(before);
        let path: Vec<&str> = expression.trim().split('.').collect();
        out.push_str(match path.as_slice() {
            ["inputs", name] => inputs.get(*name).unwrap_or_else(|| panic!("no input `{name}`")),
            ["github", "token"] => FORGE_TOKEN,
            // Empty where the action is taken from the checkout: `uses: ./`.
            ["github", "action_repository"] => "",
            // A runner gives nothing for an output that was not written; here that is a mistake.
            ["steps", id, "outputs", name] => {
                steps[*id].get(*name).unwrap_or_else(|| panic!("the step `{id}` wrote no output `{name}`"))
            }
            other => panic!("unknown expression {other:?}"),
        });
        rest = after;
    }
    out + rest
}

/// Reads the file of outputs as the runner does.
fn read_outputs(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut out = BTreeMap::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let heredoc = line.split_once("<<").filter(|(name, _)| !name.contains('='));
        let (name, value) = if let Some((name, delimiter)) = heredoc {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            (name, value.join("\n"))
        } else {
            let (name, value) = line.split_once('=').unwrap();
            (name, value.to_owned())
        };
        assert!(out.insert(name.to_owned(), value).is_none(), "the output `{name}` is written twice");
    }
    out
}
