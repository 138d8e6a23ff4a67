//! The issue that a cron job keeps.

use std::sync::Arc;

use reachform::forge::Forge;
use reachform::forge::issue::{Done, Keeping, Kept, Mode, State, keep};
use reachform::http::Method;
use serde_json::json;

use super::github::GitHub;
use super::standin::{Fault, StandIn, refusal};
use super::{context, forge, pull_request, sha};

struct Cron {
    github: StandIn<GitHub>,
    forge: Box<dyn Forge>,
    mode: Mode,
}

impl Cron {
    fn new() -> Self {
        let github = GitHub::stand_in();
        let forge = forge(Arc::new(github.clone()), &context(5, 1, &pull_request(12, &sha("a"))));
        Self { github, forge, mode: Mode::Open }
    }

    async fn runs(&self, state: State, body: &str) -> Kept {
        let labels = ["agent-drift".to_owned()];
        let keeping = Keeping {
            key: "prod-key",
            title: "Agent drift in prod",
            state: &state,
            body,
            news: Some("`agent.riverside`"),
            labels: &labels,
            mode: self.mode,
            run_url: Some("https://github.com/acme/agents/actions/runs/5"),
        };
        keep(&*self.forge, &keeping).await.unwrap()
    }

    fn issue(&self) -> (String, String) {
        let issue = self.github.with(|github| github.issues[0].clone());
        (issue["state"].as_str().unwrap().to_owned(), issue["body"].as_str().unwrap().to_owned())
    }

    fn told(&self) -> Vec<String> {
        self.github.with(|github| github.bodies(1))
    }
}

fn drift(fingerprint: &str) -> State {
    State::Drifted { fingerprint: fingerprint.to_owned() }
}

#[tokio::test]
async fn one_issue_lives_through_drift_and_outage_and_peace() {
    let cron = Cron::new();
    assert_eq!(cron.runs(State::Clean, "clean").await.done, Done::Nothing);
    let outage = State::NotChecked { reason: "503".to_owned() };
    assert_eq!(cron.runs(outage.clone(), "not checked").await.done, Done::Nothing);

    let opened = cron.runs(drift("one"), "Checked on day 1.\n").await;
    assert_eq!((opened.done, opened.number), (Done::Opened, Some(1)));
    assert!(opened.url.unwrap().ends_with("/issues/1") && opened.warnings.is_empty());
    assert_eq!(cron.runs(drift("one"), "Checked on day 2.\n").await.done, Done::Updated);
    assert_eq!(cron.runs(drift("one"), "Checked on day 2.\n").await.done, Done::Unchanged);
    assert!(cron.told().is_empty());
    assert!(cron.issue().1.contains("day 2"));

    assert_eq!(cron.runs(drift("two"), "Checked on day 3.\n").await.done, Done::Told);
    assert_eq!(cron.told().len(), 1);
    assert!(cron.told()[0].contains("another one than before") && cron.told()[0].contains("`agent.riverside`"));

    // The service is down: neither clean nor drift, and what was known stays to be read.
    for _day in 0..2 {
        assert_ne!(cron.runs(outage.clone(), "**Not checked:** 503\n").await.done, Done::Closed);
    }
    let (state, body) = cron.issue();
    assert_eq!(state, "open");
    assert!(body.contains("state=not-checked") && body.contains("**Not checked:** 503") && body.contains("day 3"));
    assert_eq!(cron.runs(drift("two"), "Checked on day 6.\n").await.done, Done::Updated);
    assert!(!cron.issue().1.contains("Not checked"));
    assert_eq!(cron.told().len(), 1);

    assert_eq!(cron.runs(State::Clean, "Clean on day 7.\n").await.done, Done::Closed);
    assert_eq!(cron.issue().0, "closed");
    assert_eq!(cron.runs(State::Clean, "Clean on day 8.\n").await.done, Done::Unchanged);
    assert!(cron.issue().1.contains("day 7"));
    assert_eq!(cron.runs(outage, "not checked").await.done, Done::Unchanged);
    assert_eq!(cron.issue().0, "closed");

    assert_eq!(cron.runs(drift("two"), "Checked on day 9.\n").await.done, Done::Reopened);
    assert_eq!((cron.issue().0.as_str(), cron.told().len()), ("open", 3));
    assert_eq!(cron.github.with(|github| github.issues.len()), 1);
}

#[tokio::test]
async fn an_issue_is_found_without_its_title_and_without_its_label_but_not_in_a_strangers_hand() {
    let cron = Cron::new();
    cron.runs(drift("one"), "x").await;
    cron.github.with(|github| {
        github.issues[0]["title"] = json!("renamed by a person");
        github.issues[0]["labels"] = json!([]);
        for index in 0..130 {
            let mut noise = github.issues[0].clone();
            noise["number"] = json!(index + 2);
            noise["body"] = json!(if index % 2 == 0 { "noise" } else { "" });
            github.issues.push(noise);
        }
        let mut forged = github.issues[0].clone();
        forged["number"] = json!(500);
        forged["user"]["login"] = json!("eve");
        github.issues.push(forged);
        let mut pull = github.issues[0].clone();
        pull["number"] = json!(501);
        pull["pull_request"] = json!({"url": "u"});
        github.issues.push(pull);
    });
    assert_eq!(cron.runs(drift("one"), "y").await.number, Some(1));
}

#[tokio::test]
async fn a_person_who_closes_the_issue_is_heeded_until_there_is_other_drift() {
    let cron = Cron::new();
    cron.runs(drift("one"), "x").await;
    cron.github.with(|github| github.issues[0]["state"] = json!("closed"));
    assert_eq!(cron.runs(drift("one"), "y").await.done, Done::LeftClosed);
    assert_eq!(cron.issue().0, "closed");
    assert_eq!(cron.runs(drift("two"), "z").await.done, Done::Reopened);
}

#[tokio::test]
async fn modes_say_whether_an_issue_is_opened() {
    let cron = Cron { mode: Mode::Update, ..Cron::new() };
    assert_eq!(cron.runs(drift("one"), "x").await.done, Done::Nothing);
    let cron = Cron { mode: Mode::Off, ..cron };
    assert_eq!(cron.runs(drift("one"), "x").await.done, Done::Nothing);
    assert!(cron.github.take_writes().is_empty());
}

#[tokio::test]
async fn an_issue_whose_answer_was_lost_is_not_opened_twice_and_the_younger_of_two_is_closed() {
    let cron = Cron::new();
    cron.github.fault(Method::Post, "/issues", Fault::LoseAnswer);
    assert_eq!(cron.runs(drift("one"), "x").await.number, Some(1));
    assert_eq!(cron.github.with(|github| github.issues.len()), 1);

    // Another run has opened one between our looking and our opening.
    let cron = Cron::new();
    cron.runs(drift("one"), "x").await;
    let hidden = cron.github.with(|github| std::mem::take(&mut github.issues));
    let empty = || super::standin::answer(200, &json!([]));
    cron.github.fault(Method::Get, "/issues", Fault::Answer(empty()));
    cron.github.fault(Method::Get, "/issues", Fault::Answer(empty()));
    cron.github.with(|github| github.issues = hidden);
    let kept = cron.runs(drift("one"), "x").await;
    assert_eq!((kept.done, kept.number), (Done::Opened, Some(1)));
    let states =
        cron.github.with(|g| g.issues.iter().map(|i| i["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    assert_eq!(states, ["open", "closed"]);
}

#[tokio::test]
async fn a_comment_that_fails_is_a_warning_beside_the_edit() {
    let cron = Cron::new();
    cron.runs(drift("one"), "x").await;
    cron.github.fault(Method::Post, "/1/comments", Fault::Answer(refusal(403, "no", &[])));
    let kept = cron.runs(drift("two"), "y").await;
    assert_eq!((kept.done, kept.warnings.len()), (Done::Told, 1));
    assert!(kept.warnings[0].hints.concat().contains("`issues: write`"));
    // Told once at most: it is not caught up on.
    assert_eq!(cron.runs(drift("two"), "y").await.done, Done::Unchanged);
}

#[tokio::test]
async fn an_issue_that_did_not_arrive_is_opened_again_and_never_twice() {
    let cron = Cron::new();
    cron.github.fault(Method::Post, "/issues", Fault::Answer(refusal(503, "Service Unavailable", &[])));
    let opened = cron.runs(drift("one"), "Checked on day 1.\n").await;
    assert_eq!((opened.done, opened.number), (Done::Opened, Some(1)));
    let cron = Cron::new();
    cron.github.fault(Method::Post, "/issues", Fault::LoseAnswer);
    let opened = cron.runs(drift("one"), "Checked on day 1.\n").await;
    assert_eq!((opened.done, opened.number), (Done::Opened, Some(1)));
    assert_eq!(cron.github.with(|github| github.issues.len()), 1);
}
