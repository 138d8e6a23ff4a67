//! PURE. Which repository, pull request, commit and run this is, from the variables and the event of a pipeline.
//!
//! Read once, from a map and a text that the shell hands in. The event is written by the forge and is trusted; what an
//! artifact of another job says is not, and never gets here.

use std::collections::BTreeMap;

use serde_json::Value;

/// Which forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// GitHub, or GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
}

impl Host {
    /// The name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        }
    }

    /// What stands before the number of a pull request, or of a merge request.
    pub fn mark(self) -> char {
        match self {
            Self::GitHub => '#',
            Self::GitLab => '!',
        }
    }
}

/// Where the commits of a pull request come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a branch of the repository itself, or there is no pull request.
    Repository,
    /// From a fork: no secrets, and a token that only reads.
    Fork,
    /// From Dependabot, which is treated as a fork.
    Dependabot,
    /// There is a pull request, and the event does not say where its commits come from: treated as a fork.
    Unknown,
}

impl Origin {
    /// Whether the commits may be a stranger's.
    pub fn is_untrusted(self) -> bool {
        match self {
            Self::Repository => false,
            Self::Fork | Self::Dependabot | Self::Unknown => true,
        }
    }
}

/// The run that made what is posted. In a `workflow_run` job it is the run that triggered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id. Forges hand out ever higher ones, so it is the order of runs too.
    pub id: u64,
    /// Its number within its workflow, for people.
    pub number: Option<u64>,
    /// Which attempt: a re-run keeps the id.
    pub attempt: u64,
    /// Where it can be seen.
    pub url: Option<String>,
}

/// Everything that a pipeline tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The forge.
    pub host: Host,
    /// The address of its API.
    pub api_url: String,
    /// The address for people.
    pub server_url: String,
    /// `owner/name` on GitHub, the project's id or path on GitLab.
    pub repository: String,
    /// The pull request, where the event names it.
    pub pull_request: Option<u64>,
    /// The head commit of the pull request, else the commit of the run.
    pub head_sha: Option<String>,
    /// The head branch as `owner:branch`, where the event names it.
    pub head_branch: Option<String>,
    /// The repository that the head commit comes from.
    pub head_repository: Option<String>,
    /// The commits that a push brought to the branch, the oldest first.
    pub pushed: Vec<String>,
    /// The run.
    pub run: Option<Run>,
    /// Who started it.
    pub actor: Option<String>,
    /// The event, as `pull_request` or `push`.
    pub event: String,
    /// Whether the commit of the run is another one than that of the pull request, though the event names the latter.
    pub has_files_of_the_base: bool,
    /// Where the commits come from.
    pub origin: Origin,
}

/// Why nothing can be posted from here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// No forge.
    #[error("neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set, so there is no forge to post to")]
    NoForge,
    /// The repository's name has another form.
    #[error("GITHUB_REPOSITORY is `{0}`, and not `owner/name`")]
    BadRepository(String),
    /// The event is no JSON.
    #[error("the file that GITHUB_EVENT_PATH names is no event of GitHub: {0}")]
    BadEvent(String),
}

/// GitHub's own API, where the runner names none.
const GITHUB_API: &str = "https://api.github.com";
/// GitLab's own API.
const GITLAB_API: &str = "https://gitlab.com/api/v4";
/// The login under which Dependabot acts.
const DEPENDABOT: &str = "dependabot[bot]";

impl Context {
    /// Reads it. `event` is the text of the file that GITHUB_EVENT_PATH names.
    pub fn read(variables: &BTreeMap<String, String>, event: Option<&str>) -> Result<Self, ContextError> {
        let variable = |name: &str| variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        if let Some(repository) = variable("GITHUB_REPOSITORY") {
            if !is_repository(repository) {
                return Err(ContextError::BadRepository(repository.to_owned()));
            }
            let event = match event {
                Some(text) => serde_json::from_str(text)
                    .map_err(|error| ContextError::BadEvent(format!("line {}", error.line())))?,
                None => Value::Null,
            };
            return Ok(github(repository, &variable, &event));
        }
        let project = variable("CI_PROJECT_ID").or_else(|| variable("CI_PROJECT_PATH"));
        project.map(|project| gitlab(project, &variable)).ok_or(ContextError::NoForge)
    }

    /// Whether the files of the run are those of the pull request without having to ask: GitHub hands the runs of three
    /// events the merge of that pull request. Every other event has some commit, which may be of any branch. Without an
    /// event it was a person, who means it; a pipeline of GitLab has no files but its own.
    pub fn has_files_of(&self, number: u64) -> bool {
        match (self.host, self.event.as_str()) {
            (Host::GitHub, "pull_request" | "pull_request_review" | "pull_request_review_comment") => {
                self.pull_request == Some(number)
            }
            (Host::GitHub, event) => event.is_empty(),
            (Host::GitLab, _) => true,
        }
    }

    /// Whether the run is of a group of the merge queue, which may hold more than one pull request.
    pub fn is_of_merge_queue(&self) -> bool {
        self.event == "merge_group"
    }

    /// Where a run can be seen, by its id.
    pub fn run_url(&self, id: u64) -> String {
        match self.host {
            Host::GitHub => format!("{}/{}/actions/runs/{id}", self.server_url, self.repository),
            Host::GitLab => format!("{}/-/pipelines/{id}", self.server_url),
        }
    }
}

/// `owner/name`, of letters that need no escape in a path.
fn is_repository(text: &str) -> bool {
    let good = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    text.split_once('/').is_some_and(|(owner, name)| good(owner) && good(name))
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64).filter(|number| *number > 0)
}

fn github<'v>(repository: &str, variable: &dyn Fn(&str) -> Option<&'v str>, event: &Value) -> Context {
    let owned = |name: &str| variable(name).map(str::to_owned);
    let count = |name: &str| variable(name).and_then(|text| text.parse::<u64>().ok());
    let server_url = owned("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
    let actor = owned("GITHUB_ACTOR");
    let mut context = Context {
        host: Host::GitHub,
        api_url: owned("GITHUB_API_URL").unwrap_or_else(|| GITHUB_API.to_owned()),
        repository: repository.to_owned(),
        pull_request: None,
        head_sha: owned("GITHUB_SHA"),
        head_branch: None,
        head_repository: None,
        pushed: pushed(event),
        run: count("GITHUB_RUN_ID").map(|id| Run {
            id,
            number: count("GITHUB_RUN_NUMBER"),
            attempt: count("GITHUB_RUN_ATTEMPT").unwrap_or(1),
            url: Some(format!("{server_url}/{repository}/actions/runs/{id}")),
        }),
        origin: Origin::Repository,
        event: owned("GITHUB_EVENT_NAME").unwrap_or_default(),
        has_files_of_the_base: false,
        actor,
        server_url,
    };
    if event.get("pull_request").is_some_and(Value::is_object) {
        context.pull_request = number(event, "/pull_request/number");
        // GITHUB_SHA is the merge of head and base here, which nobody has ever seen.
        context.head_sha = text(event, "/pull_request/head/sha").or(context.head_sha);
        context.head_branch = text(event, "/pull_request/head/label");
        context.head_repository = text(event, "/pull_request/head/repo/full_name");
        // A deleted fork has no repository any more.
        context.origin = match (&context.head_repository, text(event, "/pull_request/base/repo/full_name")) {
            (_, None) => Origin::Unknown,
            (Some(head), Some(base)) if head.eq_ignore_ascii_case(&base) => Origin::Repository,
            (_, Some(_)) => Origin::Fork,
        };
        if text(event, "/pull_request/user/login").as_deref() == Some(DEPENDABOT) {
            context.origin = Origin::Dependabot;
        }
    } else if event.get("workflow_run").is_some_and(Value::is_object) {
        of_workflow_run(&mut context, event);
    } else if event.pointer("/issue/pull_request").is_some_and(Value::is_object) {
        context.pull_request = number(event, "/issue/number");
        // The run's commit is the default branch's: it says nothing of the pull request. Nor does the event say whether
        // the pull request comes from a fork, and anyone can comment on one.
        context.head_sha = None;
        context.origin = Origin::Unknown;
    } else if let Some(group) = text(event, "/merge_group/head_ref") {
        context.pull_request = of_queue(&group);
        context.head_sha = text(event, "/merge_group/head_sha").or(context.head_sha);
    } else if context.event.starts_with("pull_request") || context.event == "workflow_run" {
        // What the event should say could not be read.
        context.origin = Origin::Unknown;
    }
    if context.pull_request.is_none() && context.event != "workflow_run" {
        let reference = variable("GITHUB_REF").and_then(|reference| reference.strip_prefix("refs/pull/"));
        context.pull_request =
            reference.and_then(|rest| rest.split('/').next()).and_then(|digits| digits.parse().ok()).filter(|n| *n > 0);
        if context.pull_request.is_some() {
            context.origin = Origin::Unknown;
        }
    }
    if context.actor.as_deref() == Some(DEPENDABOT) && context.pull_request.is_some() {
        context.origin = Origin::Dependabot;
    }
    context.has_files_of_the_base = match context.event.as_str() {
        "pull_request_target" | "issue_comment" => context.pull_request.is_some(),
        // It runs on the default branch, whatever the run that triggered it has read.
        "workflow_run" => context.head_sha.is_none() || context.head_sha.as_deref() != variable("GITHUB_SHA"),
        _ => false,
    };
    context
}

/// The job after a job: what counts is the run that triggered it, which is the one that read the commit.
fn of_workflow_run(context: &mut Context, event: &Value) {
    let at = |name: &str| format!("/workflow_run/{name}");
    context.head_sha = text(event, &at("head_sha"));
    context.head_repository = text(event, &at("head_repository/full_name"));
    context.head_branch = text(event, &at("head_repository/owner/login"))
        .zip(text(event, &at("head_branch")))
        .map(|(owner, branch)| format!("{owner}:{branch}"));
    if let Some(id) = number(event, &at("id")) {
        context.run = Some(Run {
            id,
            number: number(event, &at("run_number")),
            attempt: number(event, &at("run_attempt")).unwrap_or(1),
            url: text(event, &at("html_url")),
        });
    }
    // Empty for forks. Of several, none is more right than another.
    let listed = event.pointer("/workflow_run/pull_requests").and_then(Value::as_array);
    if let Some([only]) = listed.map(Vec::as_slice) {
        context.pull_request = number(only, "/number");
    }
    context.origin = match &context.head_repository {
        Some(head) if !head.eq_ignore_ascii_case(&context.repository) => Origin::Fork,
        Some(_) if text(event, &at("actor/login")).as_deref() == Some(DEPENDABOT) => Origin::Dependabot,
        Some(_) => Origin::Repository,
        // As for a fork that was deleted.
        None => Origin::Unknown,
    };
}

/// The commits that a `push` event lists.
fn pushed(event: &Value) -> Vec<String> {
    let commits = event.get("commits").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    commits.iter().filter_map(|commit| text(commit, "/id")).collect()
}

/// The pull request that a branch of the merge queue is for: `refs/heads/gh-readonly-queue/main/pr-12-<commit>`.
fn of_queue(reference: &str) -> Option<u64> {
    let (_, rest) = reference.rsplit_once("/pr-")?;
    rest.split('-').next()?.parse().ok().filter(|number| *number > 0)
}

fn gitlab<'v>(project: &str, variable: &dyn Fn(&str) -> Option<&'v str>) -> Context {
    let owned = |name: &str| variable(name).map(str::to_owned);
    let count = |name: &str| variable(name).and_then(|text| text.parse::<u64>().ok()).filter(|number| *number > 0);
    let source = variable("CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    let is_fork = source.is_some_and(|source| Some(source) != variable("CI_MERGE_REQUEST_PROJECT_ID"));
    Context {
        host: Host::GitLab,
        api_url: owned("CI_API_V4_URL").unwrap_or_else(|| GITLAB_API.to_owned()),
        server_url: owned("CI_PROJECT_URL").unwrap_or_else(|| "https://gitlab.com".to_owned()),
        repository: project.to_owned(),
        pull_request: count("CI_MERGE_REQUEST_IID"),
        // In a pipeline of merged results CI_COMMIT_SHA is the merge, as on GitHub.
        head_sha: owned("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| owned("CI_COMMIT_SHA")),
        head_branch: owned("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        head_repository: source.map(str::to_owned),
        pushed: Vec::new(),
        run: count("CI_PIPELINE_ID").map(|id| Run {
            id,
            number: count("CI_PIPELINE_IID"),
            attempt: 1,
            url: owned("CI_JOB_URL").or_else(|| owned("CI_PIPELINE_URL")),
        }),
        actor: owned("GITLAB_USER_LOGIN"),
        event: owned("CI_PIPELINE_SOURCE").unwrap_or_default(),
        has_files_of_the_base: false,
        origin: if is_fork { Origin::Fork } else { Origin::Repository },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables(extra: &[(&str, &str)]) -> BTreeMap<String, String> {
        let always = [
            ("GITHUB_REPOSITORY", "acme/agents"),
            ("GITHUB_SHA", "merge"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_NUMBER", "5"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_SERVER_URL", "https://ghe.test"),
            ("GITHUB_API_URL", "https://ghe.test/api/v3"),
        ];
        always.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn read(extra: &[(&str, &str)], event: &Value) -> Context {
        Context::read(&variables(extra), Some(&event.to_string())).unwrap()
    }

    #[test]
    fn a_pull_request_is_known_by_its_head_and_not_by_the_merge_of_the_run() {
        let mut event = json!({"pull_request": {"number": 12, "user": {"login": "ann"},
            "head": {"sha": "head", "label": "acme:fix", "repo": {"full_name": "acme/agents"}},
            "base": {"repo": {"full_name": "acme/agents"}}}});
        let context = read(&[("GITHUB_EVENT_NAME", "pull_request")], &event);
        assert_eq!((context.pull_request, context.head_sha.as_deref()), (Some(12), Some("head")));
        assert_eq!(context.origin, Origin::Repository);
        let run = context.run.unwrap();
        assert_eq!((run.id, run.number, run.attempt), (77, Some(5), 2));
        assert_eq!(run.url.unwrap(), "https://ghe.test/acme/agents/actions/runs/77");
        for repository in [json!({"full_name": "eve/agents"}), Value::Null] {
            event["pull_request"]["head"]["repo"] = repository;
            assert_eq!(read(&[], &event).origin, Origin::Fork);
        }
        event["pull_request"]["user"]["login"] = json!(DEPENDABOT);
        assert_eq!(read(&[], &event).origin, Origin::Dependabot);
    }

    #[test]
    fn a_pull_request_whose_event_does_not_say_where_it_comes_from_is_not_the_repositorys_own() {
        let comment = json!({"issue": {"number": 3, "pull_request": {"url": "u"}}});
        let odd = json!({"pull_request": {"number": 3}});
        for (name, event) in [("issue_comment", &comment), ("pull_request", &odd)] {
            let context = read(&[("GITHUB_EVENT_NAME", name)], event);
            assert_eq!((context.pull_request, context.origin), (Some(3), Origin::Unknown), "{name}");
            assert!(context.origin.is_untrusted());
        }
        let after = json!({"workflow_run": {"id": 60, "head_sha": "h", "head_repository": null, "pull_requests": []}});
        assert_eq!(read(&[("GITHUB_EVENT_NAME", "workflow_run")], &after).origin, Origin::Unknown);
        let context = Context::read(&variables(&[("GITHUB_REF", "refs/pull/31/merge")]), None).unwrap();
        assert_eq!((context.pull_request, context.origin), (Some(31), Origin::Unknown));
        for name in ["pull_request", "pull_request_target", "workflow_run"] {
            let unread = Context::read(&variables(&[("GITHUB_EVENT_NAME", name)]), None).unwrap();
            assert_eq!(unread.origin, Origin::Unknown, "{name}");
        }
        let push = read(&[("GITHUB_EVENT_NAME", "push")], &json!({"ref": "refs/heads/main"}));
        assert_eq!(push.origin, Origin::Repository);
    }

    #[test]
    fn a_job_after_a_job_speaks_for_the_run_that_triggered_it() {
        let event = json!({"workflow_run": {"id": 60, "run_number": 4, "run_attempt": 1, "html_url": "https://u",
            "head_sha": "forked", "head_branch": "main", "pull_requests": [],
            "head_repository": {"full_name": "eve/agents", "owner": {"login": "eve"}}}});
        let context = read(&[("GITHUB_EVENT_NAME", "workflow_run"), ("GITHUB_REF", "refs/pull/9/merge")], &event);
        assert_eq!((context.pull_request, context.head_sha.as_deref()), (None, Some("forked")));
        assert_eq!(context.head_branch.as_deref(), Some("eve:main"));
        assert_eq!((context.run.unwrap().id, context.origin), (60, Origin::Fork));
    }

    #[test]
    fn a_push_a_comment_and_a_queue_are_told_apart() {
        let push = read(&[("GITHUB_REF", "refs/heads/main")], &json!({"ref": "refs/heads/main"}));
        assert_eq!((push.pull_request, push.head_sha.as_deref()), (None, Some("merge")));
        let comment = read(&[], &json!({"issue": {"number": 3, "pull_request": {"url": "u"}}}));
        assert_eq!((comment.pull_request, comment.head_sha), (Some(3), None));
        let issue = read(&[], &json!({"issue": {"number": 3}}));
        assert_eq!(issue.pull_request, None);
        let queue = json!({"merge_group": {"head_ref": "refs/heads/gh-readonly-queue/main/pr-8-ab", "head_sha": "q"}});
        assert_eq!(read(&[], &queue).pull_request, Some(8));
        let context = Context::read(&variables(&[("GITHUB_REF", "refs/pull/31/merge")]), None).unwrap();
        assert_eq!(context.pull_request, Some(31));
    }

    #[test]
    fn gitlab_is_read_from_its_own_variables() {
        let variables: BTreeMap<String, String> = [
            ("CI_PROJECT_ID", "42"),
            ("CI_API_V4_URL", "https://gl.test/api/v4"),
            ("CI_PROJECT_URL", "https://gl.test/acme/agents"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "43"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""),
            ("CI_COMMIT_SHA", "abc"),
            ("CI_PIPELINE_ID", "900"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let context = Context::read(&variables, None).unwrap();
        assert_eq!((context.host, context.pull_request, context.origin), (Host::GitLab, Some(7), Origin::Fork));
        assert_eq!(context.head_sha.as_deref(), Some("abc"));
        assert_eq!(context.run_url(900), "https://gl.test/acme/agents/-/pipelines/900");
    }

    #[test]
    fn what_is_no_pipeline_is_said() {
        assert_eq!(Context::read(&BTreeMap::new(), None), Err(ContextError::NoForge));
        for bad in ["acme", "a/b/c", "../x", "a/..", "a b/c", "/x"] {
            let variables = BTreeMap::from([("GITHUB_REPOSITORY".to_owned(), bad.to_owned())]);
            assert!(matches!(Context::read(&variables, None), Err(ContextError::BadRepository(_))), "{bad}");
        }
        assert!(matches!(Context::read(&variables(&[]), Some("{")), Err(ContextError::BadEvent(_))));
    }
}
