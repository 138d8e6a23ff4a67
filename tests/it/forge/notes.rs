//! GitLab behind the same interface.

use std::collections::BTreeMap;
use std::sync::Arc;

use reachform::forge::issue::{self, Done, Keeping};
use reachform::forge::labels::{self, Would};
use reachform::forge::sticky::{Outcome, Posting, put};
use reachform::forge::{Context, Marker, Mode, State, check, lookup};
use reachform::http::Method;
use serde_json::json;

use super::forge;
use super::gitlab::{BOT, GitLab};
use super::standin::{Fault, answer};

fn context(pipeline: u64, extra: &[(&str, &str)]) -> Context {
    let pipeline = pipeline.to_string();
    let always = [
        ("CI_PROJECT_ID", "42"),
        ("CI_PROJECT_URL", "https://gl.test/acme/agents"),
        ("CI_COMMIT_SHA", "abc"),
        ("CI_PIPELINE_ID", pipeline.as_str()),
    ];
    let variables: BTreeMap<String, String> =
        always.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Context::read(&variables, None).unwrap()
}

#[tokio::test]
async fn a_note_is_kept_as_a_comment_is() {
    let gitlab = GitLab::stand_in();
    let line = Marker::new("k", State::Planned, None).line();
    gitlab.with(|gitlab| {
        for _ in 0..130 {
            gitlab.add_note("ann", "remark");
        }
        gitlab.add_note("eve", &line);
    });
    let mut outcomes = Vec::new();
    for (pipeline, text) in [(900, "one"), (900, "one"), (901, "two"), (900, "late")] {
        let context = context(pipeline, &[("CI_MERGE_REQUEST_IID", "7")]);
        let marker = Marker::new("k", State::Planned, context.run.as_ref());
        let posting = Posting {
            number: 7,
            marker,
            markdown: text,
            superseded: "superseded",
            mode: Mode::Update,
            worth_making: true,
            max_bytes: None,
        };
        outcomes.push(put(&*forge(Arc::new(gitlab.clone()), &context), &context, &posting).await.unwrap().outcome);
    }
    assert_eq!(
        outcomes,
        [Outcome::Created, Outcome::Unchanged, Outcome::Updated, Outcome::Superseded { by_run: Some(901) }]
    );
    let notes = gitlab.with(|gitlab| gitlab.notes.clone());
    let ours: Vec<_> = notes.iter().filter(|note| note["author"]["username"] == BOT).collect();
    assert_eq!(ours.len(), 1);
    assert!(ours[0]["body"].as_str().unwrap().contains("[900](https://gl.test/acme/agents/-/pipelines/900)"));
}

#[tokio::test]
async fn a_merge_request_is_found_by_its_commit() {
    let gitlab = GitLab::stand_in();
    gitlab
        .with(|gitlab| gitlab.merge_requests.push(json!({"iid": 7, "sha": "abc", "state": "opened", "web_url": "u"})));
    let context = context(900, &[]);
    let forge = forge(Arc::new(gitlab.clone()), &context);
    assert_eq!(lookup::pull_request(&*forge, &context, None).await.unwrap(), 7);
    gitlab.with(|gitlab| gitlab.merge_requests.clear());
    let told = lookup::pull_request(&*forge, &context, None).await.unwrap_err().one_line();
    assert!(told.ends_with("CI_MERGE_REQUEST_IID is not set: of the commit abc there is no pull request"), "{told}");
}

#[tokio::test]
async fn a_refusal_names_what_the_token_needs() {
    let gitlab = GitLab::stand_in();
    let context = context(900, &[("CI_MERGE_REQUEST_IID", "7")]);
    let forge = forge(Arc::new(gitlab.clone()), &context);
    let refused = json!({"error": "insufficient_scope", "error_description": "…", "scope": "api"});
    gitlab.fault(Method::Post, "/notes", Fault::Answer(answer(403, &refused)));
    let warning = forge.create_comment(7, "x").await.unwrap_err();
    assert!(warning.hints.concat().contains("scope `api`"), "{warning:?}");
    let too_long = json!({"message": {"note": ["is too long (maximum is 1000000 characters)"]}});
    gitlab.fault(Method::Post, "/notes", Fault::Answer(answer(400, &too_long)));
    let warning = forge.create_comment(7, "x").await.unwrap_err();
    assert_eq!(warning.code(), "forge-refused");
    assert!(warning.one_line().contains("note is too long"), "{warning:?}");
    assert_eq!(check::approved(&*forge, "abc", "n").await.unwrap_err().code(), "forge-unsupported");
}

#[tokio::test]
async fn a_label_takes_the_place_of_the_environments_other_one_there_too() {
    let gitlab = GitLab::stand_in();
    let request = json!({"iid": 7, "sha": "abc", "state": "opened", "web_url": "u", "labels": ["theirs"]});
    gitlab.with(|gitlab| gitlab.merge_requests.push(request));
    let context = context(900, &[("CI_MERGE_REQUEST_IID", "7")]);
    let forge = forge(Arc::new(gitlab.clone()), &context);
    for (would, expected) in [(Would::Change, "changes"), (Would::Delete, "deletes"), (Would::Nothing, "no changes")] {
        labels::keep(&*forge, 7, "prod", would).await.unwrap();
        let there = forge.labels(7).await.unwrap();
        assert_eq!(there, ["theirs".to_owned(), format!("agents prod: {expected}")]);
    }
}

#[tokio::test]
async fn an_issue_is_kept_there_too() {
    let gitlab = GitLab::stand_in();
    let context = context(900, &[]);
    let forge = forge(Arc::new(gitlab.clone()), &context);
    let labels = ["agent-drift".to_owned()];
    let mut done = Vec::new();
    for state in [
        issue::State::Drifted { fingerprint: "a".to_owned() },
        issue::State::Clean,
        issue::State::Drifted { fingerprint: "a".to_owned() },
    ] {
        let keeping = Keeping {
            key: "k",
            title: "Agent drift in prod",
            state: &state,
            body: "text",
            news: None,
            labels: &labels,
            mode: issue::Mode::Open,
            run_url: None,
        };
        done.push(issue::keep(&*forge, &keeping).await.unwrap().done);
    }
    assert_eq!(done, [Done::Opened, Done::Closed, Done::Reopened]);
    assert_eq!(gitlab.with(|gitlab| gitlab.issues[0]["state"].clone()), "opened");
}
