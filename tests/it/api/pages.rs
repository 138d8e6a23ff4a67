//! Lists in every dialect, read to their end and no further than can be proven.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use reachform::api::{AgentRecord, Listing, Reader};
use reachform::http::{ClientOptions, Repeat, TransportError};
use reachform::model::Coverage;
use serde_json::json;

use super::fake::{Compared, Dialect, ListService, Over, World, answer, get, json_answer};

fn world(service: &ListService) -> World {
    let service = service.clone();
    World::new(move |request, _| service.answer(request))
}

async fn read(service: &ListService) -> (Listing<AgentRecord>, World) {
    let world = world(service);
    let listing = Reader::new(&world.client).list_agents().await;
    (listing, world)
}

/// Ids in the order in which they were read, checked to hold nothing twice.
fn ids(listing: &Listing<AgentRecord>) -> BTreeSet<String> {
    let ids: BTreeSet<String> = listing.items.iter().map(|record| record.agent.id.clone()).collect();
    assert_eq!(ids.len(), listing.items.len(), "an item came twice");
    ids
}

fn all(service: &ListService) -> BTreeSet<String> {
    (0..service.times.len()).map(|index| format!("ag_{index}")).collect()
}

const DIALECTS: [Dialect; 4] = [Dialect::Derived, Dialect::Header, Dialect::Link, Dialect::Envelope];

#[tokio::test]
async fn every_dialect_is_read_whole_in_either_order() {
    let times: Vec<i64> = (0..25).map(|index| index * 10).collect();
    for dialect in DIALECTS {
        for newest_first in [true, false] {
            for over in [Over::Clamp, Over::RejectWithBound, Over::RejectBare] {
                let service = ListService { newest_first, cap: 10, over, dialect, ..ListService::new(&times) };
                let (listing, _) = read(&service).await;
                assert_eq!(ids(&listing), all(&service), "{service:?}");
                assert_eq!(listing.coverage, Coverage::Proven, "{service:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_empty_list_and_a_single_item_are_proven_at_once() {
    let (listing, world) = read(&ListService::new(&[])).await;
    assert_eq!((listing.items.len(), listing.coverage), (0, Coverage::Proven));
    assert_eq!(world.requests(), ["GET /core/agents?limit=1000"]);
    for dialect in DIALECTS {
        let (listing, _) = read(&ListService { dialect, ..ListService::new(&[5]) }).await;
        // One page without a `Link` looks like a list that states nothing, and then our cursor is refused.
        let proven = dialect != Dialect::Link;
        assert_eq!((listing.items.len(), listing.coverage.is_proven()), (1, proven), "{dialect:?}");
    }
}

#[tokio::test]
async fn a_stated_end_costs_one_request_and_a_silent_one_two_in_turn() {
    let times: Vec<i64> = (0..40).collect();
    let (_, world) = read(&ListService { dialect: Dialect::Envelope, ..ListService::new(&times) }).await;
    assert_eq!(world.sent(), 1);

    let service = ListService::new(&times);
    let world =
        World::with(ClientOptions::default(), Duration::from_millis(50), move |request, _| service.answer(request));
    Reader::new(&world.client).list_agents().await;
    assert!((0.1..0.11).contains(&world.seconds()), "{}", world.seconds());
}

#[tokio::test]
async fn each_page_costs_one_request_and_the_end_two_side_by_side() {
    let times: Vec<i64> = (0..100).map(|index| index * 10).collect();
    let service = ListService { cap: 11, ..ListService::new(&times) };
    let (listing, world) = read(&service).await;
    assert_eq!((ids(&listing), listing.coverage), (all(&service), Coverage::Proven));
    // The refused limit; ten pages, each of which brings ten more at most; then once more the last item, and beside it
    // what lies behind it.
    assert_eq!(world.sent(), 1 + 10 + 2);

    let capped = ListService { over: Over::Clamp, ..service };
    let (_, world) = read(&capped).await;
    // The first page is shorter than what was asked for, so what lies behind it is asked for as well.
    assert_eq!(world.sent(), 1 + 10 + 2);
}

#[tokio::test]
async fn a_service_that_compares_cursors_as_text_or_cuts_them_is_read_whole() {
    for compared in [Compared::Exactly, Compared::AsText, Compared::ByMilliseconds] {
        for (digits, unit) in [(0, 1_000_000), (3, 1_000), (6, 400), (6, 3_000)] {
            for newest_first in [true, false] {
                // Ties of two, pages that end among them, and no other items within a page of the least step.
                let times: Vec<i64> = (0..30).map(|index| (index / 2) * unit).collect();
                let service = ListService { newest_first, cap: 12, digits, compared, ..ListService::new(&times) };
                let (listing, _) = read(&service).await;
                assert_eq!(ids(&listing), all(&service), "{service:?}");
                assert_eq!(listing.coverage, Coverage::Proven, "{service:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_bound_is_learned_once() {
    let service = ListService { cap: 20, ..ListService::new(&[1, 2, 3]) };
    let world = world(&service);
    let reader = Reader::new(&world.client);
    reader.list_agents().await;
    let first = world.sent();
    reader.clone().list_agents().await;
    assert_eq!(world.sent(), 2 * first - 1);
    let requests = world.requests();
    assert_eq!(requests[..2], ["GET /core/agents?limit=1000", "GET /core/agents?limit=20"]);

    let bare = ListService { over: Over::RejectBare, ..service };
    let (listing, world) = read(&bare).await;
    assert_eq!(listing.coverage, Coverage::Proven);
    let limits: Vec<String> = world.requests().into_iter().take(7).collect();
    let halved = [1000, 500, 250, 125, 62, 31, 15].map(|limit| format!("GET /core/agents?limit={limit}"));
    assert_eq!(limits, halved);
}

#[tokio::test]
async fn a_422_about_something_else_is_an_error() {
    let complaint = json!({"detail": [{"loc": ["query", "active"], "msg": "Bad", "type": "bool"}]});
    let world = World::new(move |_, _| json_answer(422, &complaint));
    let listing = Reader::new(&world.client).list_agents().await;
    assert!(matches!(listing.coverage, Coverage::Incomplete(_)));
    assert_eq!(world.sent(), 1);
    assert!(listing.error.unwrap().one_line().ends_with("422 (unprocessable): query.active: bad"));
}

#[tokio::test]
async fn a_tie_that_a_page_cuts_in_two_is_read_whole() {
    for newest_first in [true, false] {
        // Ties of three across pages of four, and pages that end with one, two and three of them.
        let times = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 7];
        let service = ListService { newest_first, cap: 4, over: Over::Clamp, ..ListService::new(&times) };
        let (listing, _) = read(&service).await;
        assert_eq!(ids(&listing), all(&service));
    }
    let times = [1, 2, 2, 2, 3];
    let service = ListService { newest_first: false, cap: 4, ..ListService::new(&times) };
    let (listing, _) = read(&service).await;
    assert_eq!((ids(&listing), listing.coverage), (all(&service), Coverage::Proven));
}

#[tokio::test]
async fn a_tie_longer_than_a_page_leaves_the_list_unproven() {
    let service = ListService { cap: 3, ..ListService::new(&[9, 5, 5, 5, 5, 5, 1]) };
    let (listing, _) = read(&service).await;
    let Coverage::Unproven(reason) = &listing.coverage else { panic!("{:?}", listing.coverage) };
    assert!(reason.contains("created_at"), "{reason}");
    assert!(ids(&listing).contains("ag_6"), "what lies behind the tie is still read");
}

#[tokio::test]
async fn a_tie_at_the_end_is_proven_by_a_service_that_fills_its_pages() {
    let service = ListService::new(&[9, 9, 8, 7, 6, 5, 5]);
    let (listing, _) = read(&service).await;
    assert_eq!((ids(&listing), listing.coverage), (all(&service), Coverage::Proven));
    let (listing, _) = read(&ListService { ragged: true, ..service }).await;
    assert!(matches!(listing.coverage, Coverage::Unproven(_)));
}

#[tokio::test]
async fn a_short_page_is_not_the_end() {
    let times: Vec<i64> = (0..23).collect();
    for newest_first in [true, false] {
        let service = ListService { newest_first, ragged: true, ..ListService::new(&times) };
        let (listing, _) = read(&service).await;
        assert_eq!((ids(&listing), listing.coverage), (all(&service), Coverage::Proven));
    }
}

#[tokio::test]
async fn a_list_that_repeats_itself_leads_in_a_circle_or_has_no_order_is_unproven() {
    let page = |times: &[i64]| {
        let service = ListService::new(times);
        json!((0..times.len()).map(|index| service.item(index)).collect::<Vec<_>>())
    };
    let repeating = page(&[3, 2, 1]);
    let disordered = page(&[3, 1, 2]);
    let undated = json!([{"id": "a"}, {"id": "b"}]);
    for (body, reason) in [
        (repeating, "a page brought nothing new"),
        (disordered, "not ordered by `created_at`"),
        (undated, "have no `created_at`"),
    ] {
        let count = body.as_array().unwrap().len();
        let world = World::new(move |_, _| json_answer(200, &body));
        let listing = Reader::new(&world.client).list_agents().await;
        assert_eq!(listing.items.len(), count);
        assert!(matches!(&listing.coverage, Coverage::Unproven(why) if why.contains(reason)), "{:?}", listing.coverage);
    }
    let world = World::new(|_, number| {
        answer(200, &[("x-next-cursor", "same")], &json!([{"id": format!("a{number}")}]).to_string())
    });
    let listing = Reader::new(&world.client).list_agents().await;
    assert!(matches!(&listing.coverage, Coverage::Unproven(why) if why.contains("repeat")), "{:?}", listing.coverage);
}

#[tokio::test]
async fn a_service_that_takes_no_cursor_of_ours_leaves_the_list_unproven() {
    let service = ListService::new(&[2, 1]);
    let world = World::new(move |request, _| match request.query("cursor") {
        Some(_) => json_answer(400, &json!({"detail": "Invalid cursor."})),
        None => service.answer(request),
    });
    let listing = Reader::new(&world.client).list_agents().await;
    assert_eq!(listing.items.len(), 2);
    assert!(matches!(&listing.coverage, Coverage::Unproven(why) if why.contains("Invalid cursor.")));
}

#[tokio::test]
async fn an_error_midway_keeps_what_was_read_and_a_403_is_its_own_thing() {
    for dialect in [Dialect::Derived, Dialect::Header] {
        let service = ListService { cap: 2, dialect, ..ListService::new(&[5, 4, 3, 2, 1]) };
        let world = World::new(move |request, _| match request.query("cursor") {
            Some(_) => Err(TransportError::Connect("refused".into())),
            None => service.answer(request),
        });
        let listing = Reader::new(&world.client).list_agents().await;
        assert_eq!(listing.items.len(), 2);
        assert!(matches!(&listing.coverage, Coverage::Incomplete(why) if why.contains("could not connect")));
        assert_eq!(listing.error.unwrap().request(), "GET /core/agents");
    }
    let world = World::new(|_, _| json_answer(403, &json!({"detail": "Missing scope."})));
    let listing = Reader::new(&world.client).list_numbers().await;
    assert!(matches!(&listing.coverage, Coverage::Forbidden(why) if why.contains("Missing scope.")));
    assert!(listing.error.unwrap().hints().concat().contains("phone_numbers:read"));
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_halves() {
    let service = ListService::new(&(0..300).collect::<Vec<i64>>());
    let world = World::new(move |request, _| match request.query("limit").unwrap().parse::<usize>().unwrap() {
        251.. => Err(TransportError::TooLarge(64_000_000)),
        _ => service.answer(request),
    });
    let listing = Reader::new(&world.client).list_agents().await;
    assert_eq!((listing.items.len(), listing.coverage), (300, Coverage::Proven));

    let world = World::new(|_, _| Err(TransportError::TooLarge(64_000_000)));
    let listing = Reader::new(&world.client).list_agents().await;
    assert!(matches!(&listing.coverage, Coverage::Incomplete(why) if why.contains("larger than 64 MB")));
    assert_eq!(world.sent(), 5);
}

#[tokio::test]
async fn a_body_of_another_shape_or_a_broken_record_is_no_list() {
    for (body, why) in [
        (r#"{"agents": []}"#, "expected a list of agents, but found object"),
        (r#""hello""#, "expected a list of agents, but found string"),
        (r#"[{"name": "no id"}]"#, "but found nothing at `/0/id`"),
        (r#"[{"id": "a", "versions": [{"id": "v"}]}]"#, "but found nothing at `/0/versions/0/version`"),
        ("not json", "the answer is not JSON: expected ident at line 1 column 2; the answer begins with `not json`"),
        ("[{\"id\": \"a\"", "the answer was cut off"),
        ("<html><title>Sign in</title></html>", "an HTML page (`Sign in`): a proxy or a wrong address?"),
    ] {
        let world = World::new(move |request, _| match request.query("cursor") {
            None => answer(200, &[], body),
            Some(_) => json_answer(200, &json!([])),
        });
        let listing = Reader::new(&world.client).list_agents().await;
        let Coverage::Incomplete(said) = &listing.coverage else { panic!("{body}: {:?}", listing.coverage) };
        assert!(said.contains(why), "{said}");
        assert!(listing.error.is_some());
    }
}

/// A list in pages of `count` items of `bytes` bytes, each with a cursor to the next, that never ends.
fn endless(count: usize, bytes: usize) -> World {
    let filler = "x".repeat(bytes);
    World::with(ClientOptions::default(), Duration::from_millis(50), move |_, number| {
        let items: Vec<_> =
            (0..count).map(|item| json!({"id": format!("ag_{number}_{item}"), "description": filler})).collect();
        answer(200, &[("x-next-cursor", &format!("c{number}"))], &json!(items).to_string())
    })
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up_and_never_taken_for_whole() {
    for (count, bytes, requests, bound) in [
        (1, 10, 10_000, "a list has at most 10000 pages"),
        (0, 0, 10_000, "a list has at most 10000 pages"),
        (100, 10, 2_501, "all lists together have at most 250000 items"),
        (10, 1_000_000, 26, "all answers together have at most 256 MB"),
    ] {
        let world = endless(count, bytes);
        let listing = Reader::new(&world.client).list_agents().await;
        let Coverage::Incomplete(why) = &listing.coverage else { panic!("{:?}", listing.coverage) };
        assert!(why.contains(bound) && why.contains("were read of this list"), "{why}");
        assert_eq!(world.sent(), requests, "{why}");
        let error = listing.error.unwrap();
        assert!(error.to_string().contains("list agents") && !error.hints().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn a_list_that_drips_ends_with_the_time_of_a_run() {
    let world = World::with(ClientOptions::default(), Duration::from_secs(50), |_, number| {
        answer(200, &[("x-next-cursor", &format!("c{number}"))], "[]")
    });
    let listing = Reader::new(&world.client).list_agents().await;
    assert!(matches!(&listing.coverage, Coverage::Incomplete(why) if why.contains("at most 600 s")), "{listing:?}");
    assert!(world.seconds() < 700.0);
}

#[tokio::test]
async fn the_lists_of_one_reading_are_bounded_together_and_each_reading_anew() {
    let page = json!(
        (0..20_000)
            .map(|item| json!({"id": format!("a{item}"), "phone_number": format!("+{item}")}))
            .collect::<Vec<_>>()
    );
    let body = page.to_string();
    let world = World::new(move |_, number| {
        let page = body.replace("\"a", &format!("\"p{number}a")).replace("\"+", &format!("\"+{number}00000"));
        let headers: &[(&str, &str)] =
            if number % 8 == 7 { &[("x-next-cursor", "")] } else { &[("x-next-cursor", &format!("c{number}"))] };
        answer(200, headers, &page)
    });
    let reader = Reader::new(&world.client);
    for _ in 0..2 {
        let reader = reader.for_one_reading();
        assert_eq!(reader.list_agents().await.coverage, Coverage::Proven);
        let numbers = reader.list_numbers().await;
        assert!(
            matches!(&numbers.coverage, Coverage::Incomplete(why) if why.contains("250000 items")),
            "{:?}",
            numbers.coverage
        );
        while !world.sent().is_multiple_of(8) {
            world.client.send(&get("/core/agents"), Repeat::Always).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_answer_of_countless_values_is_refused_before_it_is_read() {
    let body = format!("[{}1]", "1,".repeat(1_000_000));
    let world = World::new(move |_, _| answer(200, &[], &body));
    let listing = Reader::new(&world.client).list_agents().await;
    assert!(matches!(&listing.coverage, Coverage::Incomplete(why) if why.contains("1000002 values")), "{listing:?}");
}

#[tokio::test]
async fn an_id_that_would_bend_a_path_makes_the_list_incomplete() {
    let world = World::new(|_, _| answer(200, &[("x-next-cursor", "")], r#"[{"id": "ag_1"}, {"id": "../x"}]"#));
    let listing = Reader::new(&world.client).list_agents().await;
    assert_eq!(listing.items.len(), 1);
    let Coverage::Incomplete(why) = &listing.coverage else { panic!("{:?}", listing.coverage) };
    assert!(why.contains("a text that cannot be an id at `/1/id`") && !why.contains("../x"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The promise of the pager: whatever the service, nothing is missing from a list that is called proven, and no
    /// item ever comes twice.
    #[test]
    fn a_proven_list_is_whole(
        times in prop::collection::vec(0_i64..12, 0..40),
        newest_first: bool,
        cap in 1_usize..12,
        over in prop_oneof![Just(Over::Clamp), Just(Over::RejectWithBound), Just(Over::RejectBare)],
        dialect in prop_oneof![4 => Just(Dialect::Derived), 1 => Just(Dialect::Header), 1 => Just(Dialect::Link), 1 => Just(Dialect::Envelope)],
        compared in prop_oneof![Just(Compared::Exactly), Just(Compared::AsText), Just(Compared::ByMilliseconds)],
        (digits, unit) in prop_oneof![Just((0, 500_000)), Just((3, 500)), Just((6, 1)), Just((6, 400))],
    ) {
        // A silent cap of one item hides any tie from every question, and no service has one.
        prop_assume!(cap > 1 || over != Over::Clamp);
        let times: Vec<i64> = times.into_iter().map(|time| time * unit).collect();
        let service = ListService { newest_first, cap, over, dialect, compared, digits, ..ListService::new(&times) };
        check(&service)?;
    }

    /// The same where ties are rare, which must nearly always be proven.
    #[test]
    fn a_list_without_ties_is_proven(
        times in prop::collection::btree_set(0_i64..1_000_000, 0..60),
        newest_first: bool,
        cap in 2_usize..20,
        clamp: bool,
        ragged: bool,
    ) {
        let times: Vec<i64> = times.into_iter().collect();
        let over = if clamp { Over::Clamp } else { Over::RejectWithBound };
        let service = ListService { newest_first, cap, over, ragged, ..ListService::new(&times) };
        let listing = check(&service)?;
        // Pages of one item could hide any tie, so they prove nothing.
        prop_assert!(listing.coverage.is_proven() || (ragged && (cap < 3 || times.len() < 3)), "{:?}", listing.coverage);
        prop_assert_eq!(ids(&listing), all(&service));
    }
}

fn check(service: &ListService) -> Result<Listing<AgentRecord>, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (listing, _) = runtime.block_on(read(service));
    let found = ids(&listing);
    prop_assert!(found.is_subset(&all(service)));
    prop_assert!(!matches!(listing.coverage, Coverage::Incomplete(_)), "{:?}", listing.coverage);
    if listing.coverage.is_proven() {
        prop_assert_eq!(found, all(service));
    }
    Ok(listing)
}
