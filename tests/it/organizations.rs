//! Which organization a run works in: declared, seen, checked before the first write, and no part of a plan's hash.

use reachform::plan::Approval;
use reachform::sandbox::{Behaviour, Sandbox, Seed, Service};
use reachform::session::SessionError;
use serde_json::json;

use crate::scene::manifest;
use crate::world::{World, run};

const FULL: &str = "ak_full.everything";
const NO_NUMBERS: &str = "ak_deploy.agents-alone";

/// A project whose environment is an organization, at a service that is another one or the same, with one of two tokens:
/// one that sees everything, and one that sees no number and with it no organization.
fn world(declared: &str, token: &str) -> World {
    let mut world = World::new(Behaviour::default());
    let seed = json!({"at": "2026-01-01T00:00:00Z",
        "tokens": [
            {"token": FULL, "principal": "admin", "organizations": ["org_PROD"]},
            {"token": NO_NUMBERS, "principal": "bot", "organizations": ["org_PROD"],
             "scopes": ["agents:read", "agents:manage"]}],
        "organizations": [{"id": "org_PROD", "numbers": ["+15550100000"]}]});
    let seed = Seed::parse(&seed.to_string()).unwrap();
    world.sandbox = Sandbox::new(Service::seeded(&seed, Behaviour::default()).unwrap());
    "api.example.test".clone_into(&mut world.host);
    world.files.insert(
        "reachform.yaml".to_owned(),
        format!("version: 1\nproject: test\nenvironments:\n  prod: {{organization: {declared}}}\n"),
    );
    world.token = Some(token.to_owned());
    world.write("a", manifest("a", ""));
    world
}

#[test]
fn an_organization_that_is_declared_and_cannot_be_seen_is_refused_before_the_first_write() {
    run(async {
        for declared in ["org_STAGING", "org_PROD"] {
            let mut world = world(declared, NO_NUMBERS);
            let refused = world.try_apply(Approval::Auto).await.unwrap_err();
            assert!(matches!(refused, SessionError::OrganizationUnverified { .. }), "{refused}");
            assert_eq!(world.agents(), 0);
            // A plan is shown all the same, and says what was not checked.
            let plan = world.plan().await;
            assert!(plan.notices.iter().any(|notice| notice.code == "organization-unverified"));
        }
    });
}

#[test]
fn why_the_organization_cannot_be_seen_is_said_with_the_way_out_that_fits() {
    run(async {
        let hint = async |mut world: World| {
            let refused = world.try_apply(Approval::Auto).await.unwrap_err();
            assert_eq!(world.agents(), 0);
            let drift = world.drift().await;
            let hints = refused.hints();
            assert!(hints[0].ends_with(&drift.unchecked[0].hints[0]), "{hints:?}, {drift:#?}");
            hints[0].clone()
        };
        let said = hint(world("org_PROD", NO_NUMBERS)).await;
        assert!(said.contains("the scope `phone_numbers:read`"), "{said}");
        // A key that may read everything, of an organization in which there is nothing yet.
        let mut empty = world("org_PROD", FULL);
        let seed = json!({"at": "2026-01-01T00:00:00Z",
            "tokens": [{"token": FULL, "principal": "admin", "organizations": ["org_PROD"]}],
            "organizations": [{"id": "org_PROD", "numbers": []}]});
        let seed = Seed::parse(&seed.to_string()).unwrap();
        empty.sandbox = Sandbox::new(Service::seeded(&seed, Behaviour::default()).unwrap());
        let said = hint(empty).await;
        assert!(said.contains("none yet") && !said.contains("scope"), "{said}");
    });
}

#[test]
fn it_is_written_for_one_run_if_whoever_applies_says_so() {
    run(async {
        let mut world = world("org_PROD", NO_NUMBERS);
        world.apply.organization_unverified = true;
        assert!(world.apply().await.is_complete());
    });
}

#[test]
fn a_version_says_the_organization_if_no_list_does() {
    run(async {
        let mut first = world("org_PROD", FULL);
        assert!(first.apply().await.is_complete());
        for (declared, is_right) in [("org_PROD", true), ("org_STAGING", false)] {
            let mut second = world(declared, NO_NUMBERS);
            second.sandbox = first.sandbox.clone();
            second.write("b", manifest("b", ""));
            let ended = second.try_apply(Approval::Auto).await;
            assert_eq!(ended.is_ok(), is_right, "{declared}");
        }
        assert_eq!(first.agents(), 2);
    });
}

#[test]
fn another_organization_is_refused_also_if_it_has_the_name_of_the_embedded_one() {
    run(async {
        let mut world = world("org_STAGING", FULL);
        assert!(matches!(world.try_plan().await, Err(SessionError::Organization { .. })));
        let seed = json!({"at": "2026-01-01T00:00:00Z", "organizations": [{"id": "org_sandbox", "numbers": ["+15550100000"]}]});
        let seed = Seed::parse(&seed.to_string()).unwrap();
        world.sandbox = Sandbox::new(Service::seeded(&seed, Behaviour::default()).unwrap());
        world.token = None;
        assert!(matches!(world.try_plan().await, Err(SessionError::Organization { .. })));
    });
}

#[test]
fn what_a_credential_sees_is_no_part_of_the_hash_of_a_plan() {
    run(async {
        let mut plan = Vec::new();
        for token in [FULL, NO_NUMBERS] {
            plan.push(world("org_PROD", token).plan().await.plan_hash);
        }
        assert_eq!(plan[0], plan[1]);
        let other = world("org_OTHER", NO_NUMBERS).plan().await.plan_hash;
        assert_ne!(plan[1], other);
    });
}
