//! The sticky comment: one for each environment, ours alone, never written by an older run.

use std::sync::Arc;

use reachform::forge::sticky::{Outcome, Posting, Put, put};
use reachform::forge::{Context, Marker, Mode, State, Warning};
use reachform::http::Method;
use serde_json::json;

use super::github::{BOT, GitHub};
use super::standin::{Fault, StandIn, refusal};
use super::{context, forge, pull_request, sha};

/// One run's hand.
struct Run {
    github: StandIn<GitHub>,
    context: Context,
    key: &'static str,
    mode: Mode,
}

impl Run {
    fn new(github: &StandIn<GitHub>, run: u64, attempt: u64, head: &str) -> Self {
        let context = context(run, attempt, &pull_request(12, &sha(head)));
        Self { github: github.clone(), context, key: "prod-key", mode: Mode::Update }
    }

    async fn puts(&self, state: State, text: &str) -> Result<Put, Warning> {
        self.puts_if(state, text, true).await
    }

    async fn puts_if(&self, state: State, text: &str, worth_making: bool) -> Result<Put, Warning> {
        let mut marker = Marker::new(self.key, state, self.context.run.as_ref());
        marker.sha.clone_from(&self.context.head_sha);
        let posting = Posting {
            number: 12,
            marker,
            markdown: text,
            superseded: "superseded",
            mode: self.mode,
            worth_making,
            max_bytes: None,
        };
        put(&*forge(Arc::new(self.github.clone()), &self.context), &self.context, &posting).await
    }
}

fn marked(key: &str, run: u64, head: &str) -> String {
    let run = reachform::forge::Run { id: run, number: None, attempt: 1, url: None };
    let marker = Marker { sha: Some(sha(head)), ..Marker::new(key, State::Planned, Some(&run)) };
    format!("{}\nan older plan", marker.line())
}

/// 250 comments: ours is among them, and so is everything that looks like it.
fn crowded() -> (StandIn<GitHub>, u64) {
    let github = GitHub::stand_in();
    let ours = github.with(|github| {
        github.add_pull(12, &sha("b"), "acme/agents", "fix");
        let mut ours = 0;
        for index in 0..250 {
            let id = match index {
                // Ours: one from before, the newest, and one that someone folded away.
                40 | 180 | 200 => github.add_comment(12, BOT, &marked("prod-key", 100, "a")),
                // Strangers with our marker: a person, another bot, and one who quotes it.
                220 => github.add_comment(12, "eve", &marked("prod-key", 100, "a")),
                230 => github.add_comment(12, "other[bot]", &marked("prod-key", 100, "a")),
                240 => github.add_comment(12, BOT, &format!("> {}", marked("prod-key", 100, "a"))),
                _ => github.add_comment(12, "ann", &format!("remark {index}")),
            };
            if index == 180 {
                ours = id;
            }
            if index == 200 {
                github.comments.last_mut().unwrap()["minimized"] = json!({"reason": "outdated"});
            }
        }
        ours
    });
    (github, ours)
}

#[tokio::test]
async fn of_250_comments_exactly_our_newest_live_one_is_edited() {
    let (github, ours) = crowded();
    let put = Run::new(&github, 101, 1, "b").puts(State::Planned, "### Agents plan\n").await.unwrap();
    assert_eq!((put.outcome, put.id), (Outcome::Updated, Some(ours)));
    assert!(put.url.unwrap().ends_with(&format!("#issuecomment-{ours}")));
    assert_eq!(github.take_writes(), [format!("PATCH /repos/acme/agents/issues/comments/{ours}")]);
    let bodies = github.with(|github| github.bodies(12));
    assert_eq!(bodies.iter().filter(|body| body.contains("### Agents plan")).count(), 1);
    assert_eq!(bodies.len(), 250);
}

#[tokio::test]
async fn a_body_that_is_there_already_is_not_written_again() {
    let (github, _) = crowded();
    let run = Run::new(&github, 101, 1, "b");
    run.puts(State::Planned, "### Agents plan\n").await.unwrap();
    // A forge keeps line ends as it likes.
    github.with(|github| {
        for comment in &mut github.comments {
            comment["body"] = json!(comment["body"].as_str().unwrap().trim_end().replace('\n', "\r\n"));
        }
    });
    github.take_writes();
    assert_eq!(run.puts(State::Planned, "### Agents plan\n").await.unwrap().outcome, Outcome::Unchanged);
    assert!(github.take_writes().is_empty());
}

#[tokio::test]
async fn three_environments_have_three_comments() {
    let github = GitHub::stand_in();
    for _round in 0..2 {
        for key in ["dev-key", "staging-key", "prod-key"] {
            let run = Run { key, ..Run::new(&github, 5, 1, "a") };
            run.puts(State::Planned, &format!("plan of {key}")).await.unwrap();
        }
    }
    let bodies = github.with(|github| github.bodies(12));
    assert_eq!(bodies.len(), 3);
    for (body, key) in bodies.iter().zip(["dev-key", "staging-key", "prod-key"]) {
        assert!(body.contains(&format!("key={key} ")) && body.contains(&format!("plan of {key}")));
    }
}

#[tokio::test]
async fn an_older_run_that_ends_last_writes_nothing() {
    let github = GitHub::stand_in();
    github.with(|github| github.add_pull(12, &sha("b"), "acme/agents", "fix"));
    Run::new(&github, 20, 1, "a").puts(State::Planning, "first").await.unwrap();
    Run::new(&github, 21, 1, "b").puts(State::Planned, "second").await.unwrap();
    github.take_writes();
    let late = Run::new(&github, 20, 1, "a").puts(State::Planned, "first, done").await.unwrap();
    assert_eq!(late.outcome, Outcome::Superseded { by_run: Some(21) });
    assert!(github.take_writes().is_empty());
    // Its re-run is no newer, for its commit is not.
    let again = Run::new(&github, 20, 2, "a").puts(State::Planned, "first, again").await.unwrap();
    assert_eq!(again.outcome, Outcome::Superseded { by_run: Some(21) });
    // The commit decides where a run for an older one was started later, as for a label.
    let odd = Run::new(&github, 22, 1, "a").puts(State::Planned, "labelled").await.unwrap();
    assert_eq!(odd.outcome, Outcome::Superseded { by_run: Some(21) });
    // A second attempt of the same run is newer, and so is the next push.
    assert_eq!(Run::new(&github, 21, 2, "b").puts(State::Planned, "x").await.unwrap().outcome, Outcome::Updated);
    github.with(|github| github.push(12, &sha("c")));
    assert_eq!(Run::new(&github, 23, 1, "c").puts(State::Planned, "y").await.unwrap().outcome, Outcome::Updated);
    let body = github.with(|github| github.bodies(12)).pop().unwrap();
    assert!(body.contains("Earlier runs: [21](https://github.com/acme/agents/actions/runs/21) [20]("), "{body}");
}

#[tokio::test]
async fn a_marker_with_a_run_that_cannot_be_yet_keeps_nobody_from_the_comment() {
    let github = GitHub::stand_in();
    let ours = github.with(|github| {
        github.add_pull(12, &sha("b"), "acme/agents", "fix");
        github.add_comment(12, BOT, &marked("prod-key", u64::MAX, "b"))
    });
    for state in [State::Planned, State::Applied] {
        let put = Run::new(&github, 101, 1, "b").puts(state, state.as_str()).await.unwrap();
        assert_eq!((put.outcome, put.id), (Outcome::Updated, Some(ours)));
        let body = github.with(|github| github.bodies(12)).pop().unwrap();
        assert!(body.contains(" run=101 ") && !body.contains("Earlier runs"), "{body}");
    }
}

#[tokio::test]
async fn a_comment_that_was_deleted_meanwhile_is_made_again() {
    let github = GitHub::stand_in();
    let run = Run::new(&github, 5, 1, "a");
    run.puts(State::Planning, "x").await.unwrap();
    github.fault(Method::Patch, "/1001", Fault::Answer(refusal(404, "Not Found", &[])));
    let put = run.puts(State::Planned, "y").await.unwrap();
    assert_eq!((put.outcome, put.id), (Outcome::Created, Some(1002)));
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_not_made_twice() {
    let github = GitHub::stand_in();
    github.fault(Method::Post, "/comments", Fault::LoseAnswer);
    let put = Run::new(&github, 5, 1, "a").puts(State::Planned, "x").await.unwrap();
    assert_eq!((put.outcome, put.id), (Outcome::Created, Some(1001)));
    assert_eq!(github.with(|github| github.comments.len()), 1);
}

#[tokio::test]
async fn a_comment_that_did_not_arrive_is_sent_again() {
    for lost in [refusal(500, "Server Error", &[]), refusal(502, "Bad Gateway", &[])] {
        let github = GitHub::stand_in();
        github.fault(Method::Post, "/comments", Fault::Answer(lost));
        let put = Run::new(&github, 5, 1, "a").puts(State::Planned, "x").await.unwrap();
        assert_eq!((put.outcome, put.id), (Outcome::Created, Some(1001)));
        assert_eq!(github.with(|github| github.comments.len()), 1);
    }
    // What the forge refuses for good is not sent again.
    let github = GitHub::stand_in();
    github.fault(Method::Post, "/comments", Fault::Answer(refusal(403, "Resource not accessible", &[])));
    Run::new(&github, 5, 1, "a").puts(State::Planned, "x").await.unwrap_err();
    assert_eq!(github.take_writes().len(), 1);
}

/// The states that the comments say, in order.
fn states(github: &StandIn<GitHub>) -> Vec<State> {
    github.with(|github| github.bodies(12)).iter().map(|body| Marker::read(body).unwrap().state.unwrap()).collect()
}

#[tokio::test]
async fn a_word_that_two_runs_at_once_left_behind_is_superseded_by_whoever_finds_it() {
    let passing = |github: &StandIn<GitHub>, run: u64| {
        let run = reachform::forge::Run { id: run, number: None, attempt: 1, url: None };
        let marker = Marker { sha: Some(sha("a")), ..Marker::new("prod-key", State::Planning, Some(&run)) };
        github.with(|github| github.add_comment(12, BOT, &format!("{}\nplanning", marker.line())))
    };
    // Whichever of the two comments is listed last, and whichever run ends first.
    for (first, second, ends) in [(5, 6, [5, 6]), (5, 6, [6, 5]), (6, 5, [5, 6]), (6, 5, [6, 5])] {
        let github = GitHub::stand_in();
        let (_, last) = (passing(&github, first), passing(&github, second));
        for run in ends {
            Run::new(&github, run, 1, "a").puts(State::Planned, &format!("plan of {run}")).await.unwrap();
        }
        assert_eq!(states(&github), [State::Superseded, State::Planned], "{first} {second} {ends:?}");
        let told = github.with(|github| github.bodies(12))[1].clone();
        assert!(told.contains("plan of 6"), "{first} {second} {ends:?}: {told}");
        assert!(last > 1001);
    }
    // A comment of somebody else, of another environment, or one that says how a run ended, is left alone.
    let github = GitHub::stand_in();
    github.with(|github| {
        github.add_comment(12, "eve", &marked("prod-key", 4, "a"));
        github.add_comment(12, BOT, &marked("staging-key", 4, "a"));
        github.add_comment(12, BOT, &marked("prod-key", 4, "a"));
    });
    passing(&github, 4);
    let put = Run::new(&github, 5, 1, "a").puts(State::Planned, "x").await.unwrap();
    assert_eq!(put.outcome, Outcome::Updated);
    assert_eq!(states(&github), [State::Planned; 4]);
}

#[tokio::test]
async fn with_a_comment_for_each_run_only_older_runs_can_have_left_one_behind() {
    let github = GitHub::stand_in();
    let run = |id| Run { mode: Mode::New, ..Run::new(&github, id, 1, "a") };
    run(4).puts(State::Planning, "x").await.unwrap();
    run(6).puts(State::Planning, "x").await.unwrap();
    run(5).puts(State::Planned, "x").await.unwrap();
    assert_eq!(states(&github), [State::Superseded, State::Planning, State::Planned]);
}

#[tokio::test]
async fn modes_say_when_a_comment_is_made() {
    let github = GitHub::stand_in();
    let changes = Run { mode: Mode::Changes, ..Run::new(&github, 5, 1, "a") };
    assert_eq!(changes.puts_if(State::Planning, "planning", false).await.unwrap().outcome, Outcome::Skipped);
    assert_eq!(changes.puts_if(State::Planned, "no changes", false).await.unwrap().outcome, Outcome::Skipped);
    assert_eq!(changes.puts(State::Planned, "changes").await.unwrap().outcome, Outcome::Created);
    // Now that there is one it is never left to say what is no longer so.
    assert_eq!(changes.puts_if(State::Planned, "no changes", false).await.unwrap().outcome, Outcome::Updated);
    assert!(github.with(|github| github.bodies(12))[0].contains("no changes"));

    let new = Run { mode: Mode::New, ..Run::new(&github, 6, 1, "a") };
    assert_eq!(new.puts(State::Planning, "a").await.unwrap().outcome, Outcome::Created);
    assert_eq!(new.puts(State::Planned, "b").await.unwrap().outcome, Outcome::Updated);
    let next = Run { mode: Mode::New, ..Run::new(&github, 7, 1, "a") };
    assert_eq!(next.puts(State::Planned, "c").await.unwrap().outcome, Outcome::Created);
    github.take_writes();
    let off = Run { mode: Mode::Off, ..Run::new(&github, 8, 1, "a") };
    assert_eq!(off.puts(State::Planned, "d").await.unwrap().outcome, Outcome::Skipped);
    assert!(github.log().is_empty());
}

#[tokio::test]
async fn who_we_are_is_found_out_for_every_kind_of_token() {
    for (login, graphql) in [(BOT, true), (BOT, false), ("ann", true), ("ann", false), ("agents-app[bot]", true)] {
        let github = GitHub::stand_in();
        github.with(|github| {
            github.login = login.to_owned();
            github.graphql = graphql;
        });
        let run = Run::new(&github, 5, 1, "a");
        assert_eq!(run.puts(State::Planning, "x").await.unwrap().outcome, Outcome::Created);
        // Nobody has to know who we are where no comment claims to be ours.
        assert!(github.log().iter().all(|exchange| exchange.request.path.starts_with("/repos/")));
        assert_eq!(run.puts(State::Planned, "y").await.unwrap().outcome, Outcome::Updated, "{login} {graphql}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_and_a_limit_is_told_from_it() {
    let github = GitHub::stand_in();
    let run = Run::new(&github, 5, 1, "a");
    let accepted = [("x-accepted-github-permissions", "issues=write; pull_requests=write")];
    let forbidden = || refusal(403, "Resource not accessible by integration", &accepted);
    github.fault(Method::Post, "/comments", Fault::Answer(forbidden()));
    let warning = run.puts(State::Planned, "x").await.unwrap_err();
    assert_eq!(warning.code(), "forge-forbidden");
    assert!(warning.hints.concat().contains("`issues: write` or `pull-requests: write`"), "{warning:?}");
    github.fault(Method::Post, "/comments", Fault::Answer(refusal(403, "Resource not accessible by integration", &[])));
    let warning = run.puts(State::Planned, "x").await.unwrap_err();
    assert!(warning.hints.concat().contains("`pull-requests: write`"), "{warning:?}");

    // A short limit is waited out, an hour is not.
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    github.fault(Method::Post, "/comments", Fault::Answer(refusal(403, secondary, &[("retry-after", "3")])));
    assert_eq!(run.puts(State::Planned, "x").await.unwrap().outcome, Outcome::Created);
    let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3600")];
    github.fault(Method::Patch, "/1001", Fault::Answer(refusal(403, "API rate limit exceeded", &spent)));
    let warning = run.puts(State::Planned, "y").await.unwrap_err();
    assert_eq!(warning.code(), "forge-rate-limited", "{warning:?}");
}
