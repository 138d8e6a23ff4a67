//! A stand-in of GitHub: one repository, `acme/agents`.

use reachform::http::{Method, Request, Response};
use serde_json::{Value, json};

use super::standin::{Machine, StandIn, answer, page, refusal};

/// The longest body that GitHub takes, in characters.
const LONGEST_BODY: usize = 65_536;

/// The repository.
pub(crate) struct GitHub {
    /// Whose the token is.
    pub(crate) login: String,
    /// Whether `GET /user` knows nobody.
    pub(crate) user_is_unknown: bool,
    /// Whether GraphQL is there.
    pub(crate) graphql: bool,
    pub(crate) comments: Vec<Value>,
    pub(crate) issues: Vec<Value>,
    pub(crate) pulls: Vec<Value>,
    pub(crate) commits: Vec<(u64, String)>,
    pub(crate) checks: Vec<Value>,
    /// A check run of another run that is there as soon as the next one is made.
    pub(crate) appears_with_the_next_check: Option<Value>,
    /// Labels of pull requests: the number, and the name.
    pub(crate) labels: Vec<(u64, String)>,
    next: u64,
}

/// Who `GITHUB_TOKEN` is.
pub(crate) const BOT: &str = "github-actions[bot]";

impl GitHub {
    pub(crate) fn stand_in() -> StandIn<Self> {
        StandIn::new(Self {
            login: BOT.to_owned(),
            user_is_unknown: false,
            graphql: true,
            comments: Vec::new(),
            issues: Vec::new(),
            pulls: Vec::new(),
            commits: Vec::new(),
            checks: Vec::new(),
            appears_with_the_next_check: None,
            labels: Vec::new(),
            next: 1000,
        })
    }

    fn labels_of(&self, number: u64) -> Vec<Value> {
        let of = self.labels.iter().filter(|(of, _)| *of == number);
        of.map(|(_, name)| json!({"id": 1, "name": name, "color": "ededed", "default": false})).collect()
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Someone writes a comment.
    pub(crate) fn add_comment(&mut self, number: u64, login: &str, body: &str) -> u64 {
        let id = self.id();
        self.comments.push(json!({
            "id": id, "body": body, "user": {"login": login, "type": "Bot"}, "minimized": null,
            "html_url": format!("https://github.com/acme/agents/pull/{number}#issuecomment-{id}"),
            "issue_url": format!("https://api.github.com/repos/acme/agents/issues/{number}"),
        }));
        id
    }

    /// The bodies of the comments on a pull request, in order.
    pub(crate) fn bodies(&self, number: u64) -> Vec<String> {
        self.on(number).iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn on(&self, number: u64) -> Vec<Value> {
        let end = format!("/issues/{number}");
        let on = self.comments.iter().filter(|comment| comment["issue_url"].as_str().unwrap().ends_with(&end));
        on.cloned().collect()
    }

    /// Someone opens a pull request.
    pub(crate) fn add_pull(&mut self, number: u64, head: &str, repository: &str, branch: &str) {
        self.commits.push((number, head.to_owned()));
        self.pulls.push(json!({
            "number": number, "state": "open", "merged_at": null, "merge_commit_sha": "a-test-merge",
            "html_url": format!("https://github.com/acme/agents/pull/{number}"),
            "head": {"sha": head, "label": format!("{}:{branch}", repository.split('/').next().unwrap()),
                "repo": {"full_name": repository}},
        }));
    }

    /// One more commit is pushed to it.
    pub(crate) fn push(&mut self, number: u64, head: &str) {
        self.commits.push((number, head.to_owned()));
        let pull = self.pulls.iter_mut().find(|pull| pull["number"] == number).unwrap();
        pull["head"]["sha"] = json!(head);
    }

    fn comment_answer(&mut self, number: u64, body: &Value) -> Response {
        if let Some(refused) = refuse(body, "IssueComment") {
            return refused;
        }
        let login = self.login.clone();
        self.add_comment(number, &login, body["body"].as_str().unwrap());
        answer(201, self.comments.last().unwrap())
    }

    fn issue(&mut self, body: &Value) -> Response {
        if let Some(refused) = refuse(body, "Issue") {
            return refused;
        }
        let number = self.issues.len() as u64 + 1;
        let labels: Vec<Value> = body["labels"].as_array().unwrap().iter().map(|name| json!({"name": name})).collect();
        self.issues.push(json!({
            "number": number, "title": body["title"], "body": body["body"], "state": "open", "labels": labels,
            "user": {"login": self.login}, "html_url": format!("https://github.com/acme/agents/issues/{number}"),
        }));
        answer(201, self.issues.last().unwrap())
    }

    fn check(&mut self, body: &Value) -> Response {
        let Some(slug) = self.login.strip_suffix("[bot]").map(str::to_owned) else {
            return refusal(403, "You must authenticate via a GitHub App.", &[]);
        };
        self.checks.extend(self.appears_with_the_next_check.take());
        let id = self.id();
        let mut check = body.clone();
        check["id"] = json!(id);
        check["app"] = json!({"id": 15368, "slug": slug});
        check["html_url"] = json!(format!("https://github.com/acme/agents/runs/{id}"));
        self.checks.push(check);
        answer(201, self.checks.last().unwrap())
    }
}

/// As GitHub refuses what is too long.
fn refuse(body: &Value, resource: &str) -> Option<Response> {
    let text = body["body"].as_str().unwrap();
    (text.chars().count() > LONGEST_BODY).then(|| {
        answer(
            422,
            &json!({"message": "Validation Failed", "errors": [{"resource": resource, "code": "unprocessable",
                "field": "data", "message": "Body is too long (maximum is 65536 characters)"}]}),
        )
    })
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}

fn not_found() -> Response {
    refusal(404, "Not Found", &[])
}

impl Machine for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn answer(&mut self, request: &Request, body: &Value) -> Response {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let is_app = self.login.ends_with("[bot]");
        let number = |text: &str| text.parse::<u64>().unwrap();
        match (request.method, parts.as_slice()) {
            (Method::Post, ["graphql"]) if self.graphql => {
                assert_eq!(body["query"], "query { viewer { login } }");
                answer(200, &json!({"data": {"viewer": {"login": self.login}}}))
            }
            (Method::Get, ["user"]) if self.user_is_unknown => not_found(),
            (Method::Get, ["user"]) if is_app => refusal(403, "Resource not accessible by integration", &[]),
            (Method::Get, ["user"]) => answer(200, &json!({"login": self.login})),
            (method, ["repos", "acme", "agents", rest @ ..]) => match (method, rest) {
                (Method::Get, ["issues", n, "comments"]) => page(request, self.on(number(n)), Value::from),
                (Method::Post, ["issues", n, "comments"]) => self.comment_answer(number(n), body),
                (Method::Patch, ["issues", "comments", id]) => {
                    if let Some(refused) = refuse(body, "IssueComment") {
                        return refused;
                    }
                    let id = number(id);
                    let Some(comment) = self.comments.iter_mut().find(|comment| comment["id"] == id) else {
                        return not_found();
                    };
                    comment["body"] = body["body"].clone();
                    answer(200, comment)
                }
                (Method::Get, ["pulls"]) if request.query("state") == Some("closed") => {
                    let closed = self.pulls.iter().filter(|pull| pull["state"] == "closed");
                    page(request, closed.rev().cloned().collect(), Value::from)
                }
                (Method::Get, ["pulls"]) => {
                    let head = request.query("head").unwrap();
                    let of_branch = |pull: &&Value| pull["head"]["label"] == head && pull["state"] == "open";
                    page(request, self.pulls.iter().filter(of_branch).cloned().collect(), Value::from)
                }
                (Method::Get, ["pulls", n]) => {
                    let n = number(n);
                    self.pulls.iter().find(|pull| pull["number"] == n).map_or_else(not_found, |pull| answer(200, pull))
                }
                (Method::Get, ["pulls", n, "commits"]) => {
                    let n = number(n);
                    let of = self.commits.iter().filter(|(of, _)| *of == n).map(|(_, sha)| json!({"sha": sha}));
                    page(request, of.collect(), Value::from)
                }
                (Method::Get, ["commits", sha, "pulls"]) => {
                    let has = |pull: &&Value| {
                        pull["merge_commit_sha"] == *sha
                            || self.commits.iter().any(|(of, commit)| pull["number"] == *of && commit == sha)
                    };
                    // The commits of a fork are not the repository's.
                    let found =
                        self.pulls.iter().filter(has).filter(|p| p["head"]["repo"]["full_name"] == "acme/agents");
                    page(request, found.cloned().collect(), Value::from)
                }
                (Method::Get, ["commits", sha, "check-runs"]) => {
                    let name = request.query("check_name").unwrap();
                    let of = |check: &&Value| check["head_sha"] == *sha && check["name"] == name;
                    let found: Vec<Value> = self.checks.iter().filter(of).cloned().collect();
                    let total = found.len();
                    page(request, found, |list| json!({"total_count": total, "check_runs": list}))
                }
                (Method::Post, ["check-runs"]) => self.check(body),
                (Method::Patch, ["check-runs", id]) => {
                    let id = number(id);
                    let check = self.checks.iter_mut().find(|check| check["id"] == id).unwrap();
                    merge(check, body);
                    answer(200, check)
                }
                (Method::Get, ["issues"]) => {
                    let label = request.query("labels");
                    let bears = |issue: &&Value| {
                        label.is_none_or(|label| {
                            issue["labels"].as_array().unwrap().iter().any(|known| known["name"] == label)
                        })
                    };
                    page(request, self.issues.iter().rev().filter(bears).cloned().collect(), Value::from)
                }
                (Method::Get, ["issues", n, "labels"]) => page(request, self.labels_of(number(n)), Value::from),
                (Method::Post, ["issues", n, "labels"]) => {
                    let n = number(n);
                    let added =
                        body["labels"].as_array().unwrap().iter().map(|label| (n, label.as_str().unwrap().to_owned()));
                    self.labels.extend(added);
                    answer(200, &Value::from(self.labels_of(n)))
                }
                (Method::Delete, ["issues", n, "labels", name]) => {
                    let n = number(n);
                    let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned();
                    let before = self.labels.len();
                    self.labels.retain(|label| *label != (n, name.clone()));
                    if self.labels.len() == before {
                        return refusal(404, "Label does not exist", &[]);
                    }
                    answer(200, &Value::from(self.labels_of(n)))
                }
                (Method::Post, ["issues"]) => self.issue(body),
                (Method::Patch, ["issues", n]) => {
                    let n = number(n);
                    let issue = self.issues.iter_mut().find(|issue| issue["number"] == n).unwrap();
                    merge(issue, body);
                    answer(200, issue)
                }
                _ => not_found(),
            },
            _ => not_found(),
        }
    }
}
