//! What is drift, and what is none.

use reachform::plan::Shown;
use reachform::plan::drift::{DriftState, SlotLive};
use reachform::sandbox::{Behaviour, Direction, Service};
use serde_json::{Map, Value, json};

use super::{applied, applied_at, edit, paths};
use crate::scene::manifest;
use crate::world::{NUMBERS, World, run};

const STEPS: &str = "/config/agent/max_tool_steps";

#[test]
fn nothing_is_drift_right_after_an_apply_in_any_world() {
    for (name, behaviour) in Behaviour::worlds().into_iter().filter(|(name, _)| !name.contains(',')) {
        run(async {
            let world = applied_at(&["a", "b"], behaviour).await;
            // Where writes show late, somebody looks a few times before anyone judges.
            for _ in 0..3 {
                let _late = world.try_drift().await;
            }
            let drift = world.assert_clean(&name).await;
            assert_eq!(drift.as_applied.len(), 2, "{name}");
        });
    }
}

#[test]
fn an_unchanged_project_is_checked_by_its_lists_alone() {
    run(async {
        let world = applied(&["a", "b"]).await;
        world.sandbox.clear_log();
        world.assert_clean("unchanged").await;
        let configs = world.sandbox.log().iter().filter(|entry| entry.request.path.contains("/versions/")).count();
        assert_eq!(configs, 0);
    });
}

#[test]
fn an_agent_whose_metadata_was_replaced_is_not_checked_and_never_clean() {
    run(async {
        let world = applied(&["a", "b"]).await;
        let clean = world.assert_clean("applied").await;
        edit(&world, "Agent a", "/agent/instructions", json!("Promise everybody a refund."));
        let replaced = json!({"metadata": {"crm": 42}});
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_change(&id, replaced.as_object().unwrap()).unwrap());
        let drift = world.drift().await;
        assert_eq!(drift.state(), DriftState::NotChecked);
        assert_eq!(drift.unchecked[0].address.as_ref().unwrap().to_string(), "agent.a");
        assert_eq!(drift.as_applied.len(), 1, "the other agent is");
        assert_ne!(drift.fingerprint, clean.fingerprint);
    });
}

#[test]
fn an_edit_in_the_dashboard_is_drift_with_both_values_and_its_author() {
    run(async {
        let world = applied(&["a", "b"]).await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        edit(&world, "Agent a", "/agent/stack/llm/models", json!([]));
        let drift = world.drift().await;
        assert_eq!(drift.state(), DriftState::Drifted);
        let [agent] = drift.agents.as_slice() else { panic!("{:#?}", drift.agents) };
        assert_eq!((agent.applied_version, agent.live_version), (Some(1), Some(3)));
        let field = agent.fields.iter().find(|field| field.path.to_string() == STEPS).unwrap();
        assert_eq!(field.applied, Some(Shown::Value(json!(3))));
        assert_eq!(field.live, Shown::Value(json!(9)));
        assert!(!field.conflict);
        let editor = field.editor.clone().unwrap();
        assert_eq!((editor.by.as_deref(), editor.version), (Some("user_dashboard"), Some(2)));
        let models = agent.fields.iter().find(|field| field.path.to_string().ends_with("/llm/models")).unwrap();
        assert_eq!(models.editor.as_ref().unwrap().version, Some(3), "the later edit is of the later version");
    });
}

#[test]
fn what_is_pending_in_git_is_no_drift() {
    run(async {
        let mut world = applied(&["a", "b"]).await;
        let text = manifest("a", "phone_numbers: {inbound: [\"+15550100002\"], outbound: []}")
            .replace("max_tool_steps: 3", "max_tool_steps: 7");
        world.write("a", text);
        world.assert_clean("values, slots and removals are pending").await;
        let without = manifest("b", "").replace("      max_tool_steps: 3\n", "").replace("Agent b", "Agent bee");
        world.write("b", without);
        world.assert_clean("a removed path and a new name are pending").await;
    });
}

#[test]
fn of_a_conflict_the_half_between_applied_and_live_is_shown() {
    run(async {
        let mut world = applied(&["a"]).await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 7"));
        let drift = world.drift().await;
        let [field] = drift.agents[0].fields.as_slice() else { panic!("{:#?}", drift.agents) };
        assert_eq!((&field.applied, &field.live), (&Some(Shown::Value(json!(3))), &Shown::Value(json!(9))));
        assert!(field.conflict);
    });
}

#[test]
fn what_git_says_already_is_no_drift_although_it_was_not_applied() {
    run(async {
        let mut world = applied(&["a"]).await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let text = world.files["agents/a.yaml"].replace("max_tool_steps: 3", "max_tool_steps: 9");
        world.write("a", text);
        world.assert_clean("adopted by hand").await;
    });
}

#[test]
fn an_edit_that_git_does_not_declare_is_kept_and_no_drift() {
    run(async {
        let world = applied(&["a"]).await;
        edit(&world, "Agent a", "/scorecard_ids", json!(["s1"]));
        edit(&world, "Agent a", "/agent/built_in_tools", json!({}));
        world.annotate("Agent a", "theirs", json!({"keep": 1}));
        let drift = world.assert_clean("undeclared").await;
        let [entry] = drift.as_applied.as_slice() else { panic!() };
        let kept: Vec<String> = entry.kept.iter().map(|edit| edit.path.to_string()).collect();
        assert_eq!(kept, ["/config/agent/built_in_tools", "/config/scorecard_ids"]);
        assert_eq!(entry.live_editor.as_ref().unwrap().by.as_deref(), Some("user_dashboard"));
    });
}

#[test]
fn name_description_and_declared_metadata_drift_and_foreign_metadata_does_not() {
    run(async {
        let world = applied(&["a"]).await;
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["team"] = json!("y");
        metadata["theirs"] = json!(1);
        let fields = Map::from_iter([
            ("name".to_owned(), json!("Renamed")),
            ("description".to_owned(), Value::Null),
            ("metadata".to_owned(), metadata),
        ]);
        world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
        let drift = world.drift().await;
        let mut found = paths(&drift);
        found.sort();
        assert_eq!(found, ["/description", "/metadata/team", "/name"]);
        let name = drift.agents[0].fields.iter().find(|field| field.path.to_string() == "/name").unwrap();
        assert_eq!(
            (&name.applied, &name.live),
            (&Some(Shown::Value(json!("Agent a"))), &Shown::Value(json!("Renamed")))
        );
        assert_eq!(name.editor.as_ref().unwrap().by.as_deref(), Some("user_dashboard"));
        let description = drift.agents[0].fields.iter().find(|field| field.path.to_string() == "/description").unwrap();
        assert_eq!(description.live, Shown::Absent);
    });
}

#[test]
fn slots_that_were_emptied_moved_or_added_are_drift() {
    run(async {
        let world = applied(&["a", "b"]).await;
        let b = world.id("Agent b");
        let a = world.id("Agent a");
        world.sandbox.with(|service| {
            service.dashboard_assign("+15550100001", Direction::Inbound, Some(&b)).unwrap();
            service.dashboard_assign("+15550100001", Direction::Outbound, None).unwrap();
            service.dashboard_assign("+15550100005", Direction::Inbound, Some(&a)).unwrap();
        });
        let drift = world.drift().await;
        let [agent] = drift.agents.as_slice() else { panic!("{:#?}", drift.agents) };
        let told: Vec<String> = agent
            .slots
            .iter()
            .map(|slot| {
                let live = match &slot.live {
                    SlotLive::Holder(reachform::plan::SlotHolder::Agent { name, .. }) => name.clone(),
                    other => format!("{other:?}"),
                };
                format!("{} {} {} {live}", slot.number, slot.direction, slot.arrived)
            })
            .collect();
        assert_eq!(
            told,
            [
                "+15550100001 inbound false Agent b",
                "+15550100001 outbound false Holder(Empty)",
                "+15550100005 inbound true Agent a",
            ]
        );
    });
}

#[test]
fn an_agent_that_was_deleted_outside_is_absent() {
    run(async {
        let world = applied(&["a", "b"]).await;
        let b = world.id("Agent b");
        world.sandbox.with(|service| service.dashboard_delete(&b).unwrap());
        let drift = world.drift().await;
        assert_eq!(drift.state(), DriftState::Drifted);
        assert_eq!((drift.summary().absent, drift.as_applied.len()), (1, 1));
        assert!(drift.agents[0].is_absent());
    });
}

#[test]
fn an_agent_without_a_manifest_is_a_notice_and_not_judged() {
    run(async {
        let mut world = applied(&["a", "b"]).await;
        edit(&world, "Agent b", "/agent/max_tool_steps", json!(9));
        world.files.remove("agents/b.yaml");
        let drift = world.assert_clean("orphan").await;
        assert!(drift.notices.iter().any(|notice| notice.code == "orphan"), "{:#?}", drift.notices);
        assert_eq!(drift.orphans.len(), 1);
    });
}

#[test]
fn an_ignored_path_is_no_drift_until_its_day_has_passed_and_then_it_is_reported() {
    run(async {
        let mut world = applied(&["a"]).await;
        let ignore =
            |until: &str| manifest("a", &format!("ignore: [{{path: {STEPS}, reason: a test, until: {until}}}]"));
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        world.write("a", ignore("2026-06-01"));
        world.assert_clean("ignored to the end of its last day").await;
        world.write("a", ignore("2026-05-31"));
        let drift = world.drift().await;
        let [field] = drift.agents[0].fields.as_slice() else { panic!("{:#?}", drift.agents) };
        let ended = field.ended.clone().unwrap();
        assert_eq!((ended.until.to_string(), ended.reason.as_deref()), ("2026-05-31".to_owned(), Some("a test")));
        assert!(drift.notices.iter().any(|notice| notice.code == "ignore-ended"), "{:#?}", drift.notices);
        // Also where an apply went by while the entry held, so that the path is nobody's by the stamp.
        world.write("a", ignore("2026-06-30").replace("Hello", "Good day"));
        world.apply().await;
        world.assert_clean("ignored, and applied around").await;
        world.write("a", ignore("2026-05-31").replace("Hello", "Good day"));
        let drift = world.drift().await;
        let [field] = drift.agents[0].fields.as_slice() else { panic!("{:#?}", drift.agents) };
        assert_eq!((field.path.to_string(), field.ended.is_some()), (STEPS.to_owned(), true));
    });
}

#[test]
fn a_reading_that_broke_off_is_not_checked_whatever_it_saw() {
    for fault in ["500-before:GET /core/agents#1+", "500-before:GET /core/phone-numbers#1+"] {
        run(async {
            let world = applied(&["a", "b"]).await;
            world.fault(fault);
            match world.try_drift().await {
                Ok(drift) => {
                    assert_eq!(drift.state(), DriftState::NotChecked, "{fault}");
                    assert_eq!(drift.summary().absent, 0, "{fault}: {:#?}", drift.agents);
                    assert!(drift.agents.iter().all(|agent| agent.slots.is_empty()), "{fault}: {:#?}", drift.agents);
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        });
    }
    run(async {
        let world = applied(&["a"]).await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        world.fault("500-before:GET /core/agents/*/versions/*#1+");
        let drift = world.drift().await;
        assert_eq!(drift.state(), DriftState::NotChecked);
        assert_eq!(drift.unchecked[0].address.as_ref().unwrap().to_string(), "agent.a");
    });
}

#[test]
fn only_the_agents_that_were_asked_for_are_looked_at() {
    run(async {
        let mut world = applied(&["a", "b"]).await;
        edit(&world, "Agent b", "/agent/max_tool_steps", json!(9));
        world.options.targets = [reachform::model::Key::parse("a").unwrap()].into();
        assert!(world.assert_clean("b is left out").await.targeted);
        world.options.targets.clear();
        world.options.excludes = [reachform::model::Key::parse("a").unwrap()].into();
        assert_eq!(paths(&world.drift().await), [STEPS]);
    });
}

#[test]
fn a_secret_that_was_changed_is_told_and_neither_value_is_shown() {
    run(async {
        let mut world = applied(&["b"]).await;
        world.secrets.insert("CRM".to_owned(), "crm-secret-4417-value".to_owned());
        world.write("a", manifest("a", "metadata: {crm_token: !secret CRM}"));
        world.apply().await;
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["crm_token"] = json!("another-value-of-the-secret");
        let fields = Map::from_iter([("metadata".to_owned(), metadata)]);
        world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
        let drift = world.drift().await;
        assert_eq!(paths(&drift), ["/metadata/crm_token"]);
        let all = format!("{drift:?}");
        assert!(!all.contains("crm-secret") && !all.contains("another-value"), "{all}");
    });
}

#[test]
fn a_number_that_was_seen_elsewhere_is_drift_also_where_the_list_was_not_read_to_its_end() {
    let mut seen = 0;
    for nth in 2..8 {
        run(async {
            let mut world = World::new(Behaviour::parse(["limit-max=3"]).unwrap());
            for (key, numbers) in [("a", &NUMBERS[..]), ("b", &[])] {
                world.write(key, manifest(key, &format!("phone_numbers: {{inbound: {numbers:?}}}")));
            }
            world.converge("at first").await;
            let other = world.id("Agent b");
            for number in NUMBERS {
                let moved = |service: &mut Service| service.dashboard_assign(number, Direction::Inbound, Some(&other));
                world.sandbox.with(moved).unwrap();
            }
            world.fault(&format!("404:GET /core/phone-numbers#{nth}+"));
            let Ok(drift) = world.try_drift().await else { return };
            seen += drift.agents.iter().map(|agent| agent.slots.len()).filter(|slots| (1..20).contains(slots)).count();
        });
    }
    assert!(seen > 0, "none of the partial lists showed any of the moved numbers");
}

#[test]
fn an_agent_that_is_switched_off_is_drift_also_where_git_does_not_declare_it() {
    run(async {
        let mut world = applied(&["a", "b"]).await;
        let id = world.id("Agent a");
        let off = json!({"active": false});
        world.sandbox.with(|service| service.dashboard_change(&id, off.as_object().unwrap()).unwrap());
        let drift = world.drift().await;
        assert_eq!((drift.state(), paths(&drift)), (DriftState::Drifted, vec!["/active".to_owned()]));
        assert_eq!(drift.agents[0].fields[0].live, Shown::Value(json!(false)));
        assert!(drift.notices.iter().any(|notice| notice.code == "switched-off"), "{:?}", drift.notices);
        world.write("a", manifest("a", "ignore: [{path: /active, reason: closed in winter}]"));
        world.assert_clean("ignored").await;
    });
}

#[test]
fn a_widget_that_was_left_on_an_old_version_is_named() {
    run(async {
        let world = applied(&["a"]).await;
        let outside = world.outside();
        let mut service = reachform::session::read(&outside, &outside.reader(), None).await.unwrap();
        let agent = service.live.agents.values_mut().next().unwrap();
        let old =
            reachform::model::VersionHead { id: "old".to_owned(), version: 0, ..agent.live_version().unwrap().clone() };
        let widget = |on: &str| reachform::model::live::LiveWidget {
            id: format!("w-{on}"),
            agent_version_id: Some(on.to_owned()),
        };
        agent.widgets = vec![widget("old"), widget(&agent.live_version().unwrap().id.clone())];
        agent.versions.push(old);
        let workspace = world.workspace();
        let past = reachform::session::NoPast;
        let reader = outside.reader();
        let drift = reachform::session::check_drift(&workspace, &world.options, &outside, &reader, &mut service, &past);
        let drift = drift.await.unwrap();
        let named: Vec<&str> = drift.notices.iter().map(|notice| notice.message.as_str()).collect();
        assert_eq!(named, ["the web widget w-old still runs v0, and v1 is live"]);
    });
}

#[test]
fn a_live_value_in_the_place_of_an_object_is_shown_beside_what_went() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.write("a", manifest("a", "").replace("config:", "config:\n    metadata: {crm: {team: x, zone: 3}}"));
        world.apply().await;
        edit(&world, "Agent a", "/metadata/crm", json!("nobody"));
        let drift = world.drift().await;
        let found: Vec<(String, &Shown)> =
            drift.agents[0].fields.iter().map(|field| (field.path.to_string(), &field.live)).collect();
        assert_eq!(
            found,
            [
                ("/config/metadata/crm".to_owned(), &Shown::Value(json!("nobody"))),
                ("/config/metadata/crm/team".to_owned(), &Shown::Absent),
                ("/config/metadata/crm/zone".to_owned(), &Shown::Absent),
            ]
        );
    });
}
