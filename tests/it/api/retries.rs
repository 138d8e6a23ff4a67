//! What is sent again, when, and what becomes of what is not.

use std::time::Duration;

use futures_util::future::join_all;
use reachform::http::{
    ClientOptions, Fate, HttpErrorKind, Method, Redactor, Repeat, Request, RetryPolicy, TransportError,
};
use serde_json::json;

use super::fake::{World, answer, get, json_answer};

fn connect() -> TransportError {
    TransportError::Connect("refused".into())
}

#[tokio::test]
async fn a_read_is_repeated_after_every_failure_that_may_pass() {
    let failures: Vec<_> = [408, 429, 500, 502, 503, 504].map(|status| answer(status, &[], "busy")).into();
    for failure in failures.into_iter().chain([
        Err(connect()),
        Err(TransportError::Broken("reset".into())),
        Err(TransportError::Timeout(Duration::from_secs(60))),
        answer(200, &[], "[{\"id\": \"cut he"),
    ]) {
        let failed = failure.clone();
        let world = World::new(move |_, number| if number < 2 { failed.clone() } else { json_answer(200, &json!([])) });
        let read = world.client.json::<serde_json::Value>(&get("/core/agents"), Repeat::Always, "a list").await;
        assert!(read.is_ok(), "{failure:?}: {read:?}");
        assert_eq!(world.sent(), 3, "{failure:?}");
        let traffic = world.client.traffic();
        assert_eq!((traffic.requests, traffic.retries), (3, 2));
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_repeated() {
    for failure in [
        answer(400, &[], "{}"),
        answer(401, &[], "{}"),
        answer(403, &[], "{}"),
        answer(404, &[], "{}"),
        answer(409, &[], "{}"),
        answer(422, &[], "{}"),
        answer(501, &[], "{}"),
        answer(302, &[("location", "https://login.test/?token=hunter2")], ""),
        answer(200, &[("content-type", "text/html")], "<html></html>"),
        answer(200, &[], "{\"a\": nope}"),
        Err(TransportError::TooLarge(64_000_000)),
    ] {
        let failed = failure.clone();
        let world = World::new(move |_, _| failed.clone());
        let error =
            world.client.json::<serde_json::Value>(&get("/core/agents"), Repeat::Always, "a list").await.unwrap_err();
        assert_eq!((world.sent(), error.attempts), (1, 1), "{failure:?}");
        assert!(!error.one_line().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_create_is_repeated_only_when_it_certainly_did_nothing() {
    let create = Request::new(Method::Post, "/core/agents");
    for (failure, fate, sent) in [
        (Err(connect()), Fate::NotSent, 6),
        (answer(429, &[], ""), Fate::Refused, 24),
        (answer(408, &[], ""), Fate::Unknown, 1),
        (answer(500, &[], ""), Fate::Unknown, 1),
        (answer(503, &[("retry-after", "1")], ""), Fate::Unknown, 1),
        (Err(TransportError::Broken("reset".into())), Fate::Unknown, 1),
        (Err(TransportError::Timeout(Duration::from_secs(60))), Fate::Unknown, 1),
        (answer(409, &[], ""), Fate::Refused, 1),
        (answer(201, &[], "{\"id\":"), Fate::Unknown, 1),
        (answer(200, &[], "<!doctype html>"), Fate::Unknown, 1),
    ] {
        let failed = failure.clone();
        let world = World::new(move |_, _| failed.clone());
        let error =
            world.client.json::<serde_json::Value>(&create, Repeat::OnlyIfUnsent, "an agent").await.unwrap_err();
        assert_eq!((error.fate, world.sent()), (fate, sent), "{failure:?}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_reply_is_still_unknown() {
    let world = World::new(|_, number| match number {
        0 => Err(TransportError::Broken("reset".into())),
        _ => answer(409, &[], r#"{"detail": "already published"}"#),
    });
    let publish = Request::new(Method::Post, "/core/agents/a/versions/2/publish");
    let error = world.client.send(&publish, Repeat::Always).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!((error.fate, error.attempts), (Fate::Unknown, 2));
}

#[tokio::test]
async fn retry_after_holds_back_every_request_whether_in_seconds_or_as_a_date() {
    for retry_after in ["30", "Thu, 01 Jan 2026 00:00:30 GMT"] {
        let world = World::new(move |_, number| match number {
            0 => answer(429, &[("retry-after", retry_after), ("date", "Thu, 01 Jan 2026 00:00:00 GMT")], ""),
            _ => json_answer(200, &json!({})),
        });
        world.client.send(&get("/first"), Repeat::OnlyIfUnsent).await.unwrap();
        assert!((30.0..=51.1).contains(&world.seconds()), "{retry_after}: {}", world.seconds());
        let traffic = world.client.traffic();
        assert_eq!((traffic.throttled, traffic.retries), (1, 1));
        assert!((30_000..=31_000).contains(&traffic.waited_milliseconds), "{traffic:?}");
    }

    // Someone else's 429 holds back a request that never met one.
    let world = World::new(|request, _| match request.path.as_str() {
        "/busy" => answer(429, &[("retry-after", "40")], ""),
        _ => json_answer(200, &json!({})),
    });
    let busy = get("/busy");
    let busy = world.client.send(&busy, Repeat::OnlyIfUnsent);
    let other = async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        world.client.send(&get("/calm"), Repeat::Always).await.map(|_| world.seconds())
    };
    let (busy, other) = futures_util::join!(busy, other);
    assert!(busy.is_err());
    assert!(other.unwrap() >= 40.0);
}

#[tokio::test]
async fn a_retry_after_without_measure_is_bounded_and_one_beyond_the_run_ends_it() {
    let world = World::new(|_, number| match number {
        0 => answer(503, &[("retry-after", "86400")], ""),
        _ => json_answer(200, &json!({})),
    });
    world.client.send(&get("/a"), Repeat::Always).await.unwrap();
    assert!((120.0..=141.0).contains(&world.seconds()), "{}", world.seconds());

    let retry = RetryPolicy { run_limit: Duration::from_secs(60), ..RetryPolicy::default() };
    let world = World::with(ClientOptions { retry, ..ClientOptions::default() }, Duration::ZERO, |_, _| {
        answer(503, &[("retry-after", "100")], "")
    });
    let error = world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert!(matches!(*error.kind, HttpErrorKind::OutOfTime { .. }), "{error:?}");
    assert!(world.seconds() < 60.0);
    assert_eq!(world.sent(), 1);

    // What is said to be left is what is left, after the waits that there were.
    let retry = RetryPolicy { run_limit: Duration::from_secs(100), ..RetryPolicy::default() };
    let world = World::with(ClientOptions { retry, ..ClientOptions::default() }, Duration::ZERO, |_, _| {
        answer(429, &[("retry-after", "60")], "")
    });
    let error = world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    let HttpErrorKind::OutOfTime { asked, left } = *error.kind else { panic!("{error:?}") };
    assert!(asked.as_secs() >= 40 && left < asked && left.as_secs() <= 40, "{error:?}");
}

#[tokio::test]
async fn a_limit_that_names_no_time_is_worth_a_word_once_it_takes_a_while() {
    let world = World::new(|_, number| match number {
        0 => answer(429, &[], ""),
        _ => json_answer(200, &json!({})),
    });
    world.client.send(&get("/a"), Repeat::Always).await.unwrap();
    assert!(!world.client.activity().waits_unasked);
    let world = World::new(|_, _| answer(429, &[], ""));
    world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert!(world.client.activity().waits_unasked);
}

#[tokio::test]
async fn repeating_ends_by_count_and_by_the_deadline_of_the_run() {
    let world = World::new(|_, _| answer(500, &[], ""));
    let error = world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert_eq!((world.sent(), error.attempts), (6, 6));
    assert_eq!(error.to_string(), "`GET /a` failed after 6 attempts");

    let retry = RetryPolicy { run_limit: Duration::from_secs(30), attempts: 1000, ..RetryPolicy::default() };
    let options = ClientOptions { retry, ..ClientOptions::default() };
    let world = World::with(options, Duration::from_secs(1), |_, _| answer(500, &[], ""));
    world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert!(world.seconds() <= 31.0, "{}", world.seconds());
    assert!(world.sent() > 1);
    let before = world.sent();
    world.clock.advance(Duration::from_secs(30));
    world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert_eq!(world.sent(), before + 1, "after the deadline a request is sent once");
    world.client.renew_deadline();
    world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert!(world.sent() > before + 2);
}

#[tokio::test]
async fn sixteen_requests_are_in_flight_and_half_as_many_after_a_429() {
    let delay = Duration::from_millis(50);
    let world = World::with(ClientOptions::default(), delay, |_, _| json_answer(200, &json!({})));
    let request = get("/a");
    join_all((0..64).map(|_| world.client.send(&request, Repeat::Always))).await;
    assert_eq!(world.fake.in_flight.lock().unwrap().1, 16);
    assert!((0.2..0.21).contains(&world.seconds()), "{}", world.seconds());

    let world = World::with(ClientOptions::default(), delay, |_, number| match number {
        0..=15 => answer(429, &[], ""),
        _ => json_answer(200, &json!({})),
    });
    let request = get("/a");
    let answers = join_all((0..16).map(|_| world.client.send(&request, Repeat::Always))).await;
    assert!(answers.iter().all(Result::is_ok));
    // One round of refusals halves once; sixteen good answers then give back one or two.
    assert!((8..=10).contains(&world.client.in_flight_limit()), "{}", world.client.in_flight_limit());
}

#[tokio::test]
async fn an_interruption_ends_every_wait_and_touches_nothing_in_flight() {
    let world = World::new(|_, _| answer(429, &[("retry-after", "100")], ""));
    let cancel = world.client.cancellation().clone();
    let request = get("/a");
    let interrupt = async {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (error, ()) = futures_util::join!(world.client.send(&request, Repeat::Always), interrupt);
    assert_eq!(error.unwrap_err().fate, Fate::Refused);
    assert!(world.seconds() < 100.0);
    let error = world.client.send(&request, Repeat::Always).await.unwrap_err();
    assert!(error.is_interrupted());
    assert_eq!((error.fate, error.attempts, world.sent()), (Fate::NotSent, 0, 1));
}

#[tokio::test]
async fn no_error_shows_a_secret_that_the_service_gives_back() {
    let (token, secret) = ("ak_1.token-value".into(), "top\"secret".into());
    let redactor = Redactor::new([&token, &secret]);
    for body in [
        r#"{"detail": "bad token ak_1.token-value"}"#.to_owned(),
        r#"{"detail": [{"loc": ["header", "ak_1.token-value"], "msg": "no ak_1.token-value", "type": "x"}]}"#
            .to_owned(),
        "ak_1.token-value".to_owned(),
        json!({"x": "top\"secret"}).to_string(),
        "<html><title>ak_1.token-value</title>".to_owned(),
    ] {
        let options = ClientOptions { redactor: redactor.clone(), ..ClientOptions::default() };
        let world = World::with(options, Duration::ZERO, move |_, _| answer(400, &[], &body));
        let error = world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
        let shown = format!("{} {error:?} {:?}", error.one_line(), error.hints());
        assert!(!shown.contains("token-value") && !shown.contains("secret\"") && shown.contains("(secret)"), "{shown}");
    }
}

#[tokio::test]
async fn the_services_clock_is_known_from_its_answers() {
    let world = World::new(|_, _| answer(200, &[("date", "Thu, 01 Jan 2026 01:00:00 GMT")], "{}"));
    assert_eq!(world.client.service_now(), None);
    world.client.send(&get("/a"), Repeat::Always).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.client.service_now(), Some("2026-01-01T01:00:05Z".parse().unwrap()));
}

#[tokio::test]
async fn a_clone_and_a_wrapped_client_count_together() {
    let world = World::new(|_, _| json_answer(200, &json!({})));
    let wrapped = world.client.clone().through(|transport| transport);
    wrapped.send(&get("/a"), Repeat::Always).await.unwrap();
    assert_eq!(world.client.traffic().requests, 1);
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_on_sooner() {
    let world = World::new(|_, _| Err(TransportError::Timeout(Duration::from_secs(60))));
    let error = world.client.send(&get("/a"), Repeat::Always).await.unwrap_err();
    assert_eq!((world.sent(), error.fate), (3, Fate::Unknown));
}
