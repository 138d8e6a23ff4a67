//! What the files look like, and which agents get one.

use reachform::sandbox::Behaviour;
use serde_json::json;

use super::worlds::organization;
use super::{Asked, agent, config, hold_the_promise, import_all, imported, only, try_import, with, world};
use crate::world::run;

#[test]
fn a_manifest_reads_as_if_a_person_had_written_it() {
    let (world, written) = imported(&organization()[..1]);
    let wanted = "\
key: riverside-dental
name: Riverside Dental
description: |-
  Books  appointments.
  And more.
metadata:
  team: dental
  # workflow_id is not declared: it looks like a record of the service itself
  deep:
    a:
      - 1
      - b: null

config:
  agent:
    type: static_prompt
    instructions: !file ../prompts/riverside-dental.md
    starting_message: {type: bot_initiates_static, text: Hello}
    tools: []
    stack:
      type: stt_llm_tts
";
    let text = &world.files["agents/riverside-dental.yaml"];
    assert!(text.starts_with(wanted), "{text}");
    assert!(
        text.contains(
            "\nphone_numbers:\n  inbound: [\"+15550100000\", \"+15550100001\"]\n  outbound: [\"+15550100000\"]\n"
        ),
        "{text}"
    );
    for field in ["web_widgets", "email_addresses", "sip_endpoint"] {
        assert!(text.contains(&format!("# {field} is not declared: ")), "{field}\n{text}");
    }
    assert!(text.contains("desk@clinic.example"), "{text}");
    assert_eq!(only(&written).files, ["agents/riverside-dental.yaml", "prompts/riverside-dental.md"]);
}

#[test]
fn defaults_are_left_out_unless_they_are_asked_for() {
    run(async {
        let tool = json!([{"name": "t", "description": "d", "actions": [
            {"type": "play_message", "message": "m", "generate": false, "wait_for_playout": true}]}]);
        for full in [false, true] {
            let mut world = world(&[agent("One", with("/agent/tools", tool.clone()))], Behaviour::default());
            let written = try_import(&mut world, Asked { full, ..Asked::default() }).await.unwrap();
            let text = world.files["agents/one.yaml"].clone();
            assert_eq!(text.contains("generate: false"), full, "{text}");
            assert_eq!(text.contains("allow_interruptions"), full, "{text}");
            hold_the_promise(&mut world, &written, &text).await;
        }
    });
}

#[test]
fn only_a_slot_on_the_live_version_is_declared_and_a_direction_with_an_older_one_is_left_out() {
    let (world, written) = imported(&organization()[6..7]);
    let text = &world.files["agents/on-an-older-version.yaml"];
    assert!(text.contains("phone_numbers: {outbound: [\"+15550100002\"]}"), "{text}");
    assert!(
        text.contains("# phone_numbers.inbound is not declared: +15550100002 (version 1) would be moved"),
        "{text}"
    );
    assert_eq!(only(&written).left_out.len(), 1);
}

#[test]
fn agents_of_one_name_are_told_apart_by_id_and_names_of_one_slug_by_number() {
    let (world, _) = imported(&[agent("Desk", config()), agent("Desk", config()), agent("desk!", config())]);
    let files: Vec<&String> = world.files.keys().filter(|name| name.starts_with("agents/")).collect();
    assert_eq!(files, ["agents/desk-2.yaml", "agents/desk-3.yaml", "agents/desk.yaml"]);
    let with_id = files.iter().filter(|name| world.files[**name].contains("\nid: ")).count();
    assert_eq!(with_id, 2);
}

#[test]
fn only_the_agents_that_are_asked_for_get_a_manifest() {
    run(async {
        let agents = [agent("Front Desk", config()), agent("Billing", config()), agent("Front Door", config())];
        let mut world = world(&agents, Behaviour::default());
        let wanted = ["Billing".to_owned()];
        let written = try_import(&mut world, Asked { wanted: &wanted, ..Asked::default() }).await.unwrap();
        assert_eq!(written.files.keys().collect::<Vec<_>>(), ["agents/billing.yaml"]);
        let again = try_import(&mut world, Asked { wanted: &wanted, ..Asked::default() }).await.unwrap();
        assert_eq!(again.import.refused[0].reason, "it has a manifest already, with the key `billing`");
        let written = try_import(&mut world, Asked { filter: Some("FRONT"), ..Asked::default() }).await.unwrap();
        assert_eq!(written.files.keys().collect::<Vec<_>>(), ["agents/front-desk.yaml", "agents/front-door.yaml"]);
        let wanted = ["Biling".to_owned()];
        let error = try_import(&mut world, Asked { wanted: &wanted, ..Asked::default() }).await.unwrap_err();
        assert!(error.hints().join("").contains("did you mean `Billing`?"), "{error}");
    });
}

#[test]
fn a_file_that_is_there_is_not_written_over_whatever_it_is() {
    run(async {
        let mut world =
            world(&[agent("Desk", with("/agent/instructions", json!("a\n".repeat(9))))], Behaviour::default());
        world.files.insert("agents/DESK.yml".to_owned(), "key: other\nname: Other\n".to_owned());
        world.files.insert("prompts/desk-2.md".to_owned(), "a note".to_owned());
        let written = import_all(&mut world).await;
        assert_eq!(written.files.keys().collect::<Vec<_>>(), ["agents/desk-3.yaml", "prompts/desk-3.md"]);
    });
}

#[test]
fn a_number_that_a_manifest_claims_already_is_not_claimed_a_second_time() {
    run(async {
        let mut one = agent("Desk", config());
        one["versions"][0]["inbound"] = json!(["+15550100000"]);
        let mut world = world(&[one], Behaviour::default());
        world.write("other", "key: other\nname: Other\nphone_numbers: {inbound: [\"+15550100000\"]}\n");
        let written = import_all(&mut world).await;
        assert!(only(&written).left_out.iter().any(|left| left.path.to_string().starts_with("/phone_numbers/inbound")));
        assert!(!world.files["agents/desk.yaml"].contains("\nphone_numbers"));
    });
}

#[test]
fn an_agent_that_lost_its_manifest_gets_it_back_under_its_key() {
    run(async {
        let mut world = world(&[agent("Desk", config())], Behaviour::default());
        world.write("front", "key: front\nname: Desk\nconfig: {agent: {max_tool_steps: 4}}\n");
        world.converge("adopt").await;
        world.files.remove("agents/front.yaml");
        let written = import_all(&mut world).await;
        assert_eq!(written.files.keys().collect::<Vec<_>>(), ["agents/front.yaml"]);
        hold_the_promise(&mut world, &written, "orphan").await;
    });
}

#[test]
fn an_agent_of_another_project_is_named_and_left() {
    run(async {
        let mut world = world(&[agent("Desk", config())], Behaviour::default());
        world.write("desk", "key: desk\nname: Desk\n");
        world.converge("adopt").await;
        world.files.remove("agents/desk.yaml");
        world.files.insert("reachform.yaml".to_owned(), "version: 1\nproject: other\n".to_owned());
        let written = import_all(&mut world).await;
        assert!(written.files.is_empty());
        assert_eq!(written.import.refused[0].reason, "it belongs to project `test`, environment `prod`");
    });
}

#[test]
fn an_import_from_one_of_several_environments_creates_nothing_in_the_others() {
    run(async {
        let mut world = world(&[agent("Desk", config())], Behaviour::default());
        let project = "version: 1\nproject: test\nenvironments: {prod: {}, staging: {}}\n";
        world.files.insert("reachform.yaml".to_owned(), project.to_owned());
        world.environment = Some("prod".to_owned());
        let written = import_all(&mut world).await;
        hold_the_promise(&mut world, &written, "prod").await;
        world.environment = Some("staging".to_owned());
        assert!(!world.plan().await.summary().has_changes());
    });
}

#[test]
fn an_agent_that_a_manifest_describes_for_another_environment_gets_only_a_patch() {
    run(async {
        let project = "version: 1\nproject: test\nenvironments: {prod: {}, staging: {}, demo: {}}\n".to_owned();
        let prompt = "Answer calls.\nBe brief.\nAsk for the name.\nThen book.\n";
        let mut prod = world(&[agent("Front Desk", with("/agent/instructions", json!(prompt)))], Behaviour::default());
        prod.files.insert("reachform.yaml".to_owned(), project.clone());
        prod.environment = Some("prod".to_owned());
        let written = import_all(&mut prod).await;
        hold_the_promise(&mut prod, &written, "prod").await;
        let mut config = with("/agent/instructions", json!(prompt.replace("brief", "friendly")));
        config["agent"]["max_tool_steps"] = json!(5);
        let mut there = agent("Front Desk", config);
        there["versions"][0]["inbound"] = json!(["+15550100003"]);
        let mut staging = world(&[there, agent("Only here", config_of_another())], Behaviour::default());
        staging.files = prod.files.clone();
        staging.environment = Some("staging".to_owned());
        let written = import_all(&mut staging).await;
        assert_eq!(written.patched.keys().collect::<Vec<_>>(), ["agents/front-desk.yaml"], "{:#?}", written.import);
        staging.files.extend(written.patched.clone());
        let text = staging.files["agents/front-desk.yaml"].clone();
        assert!(text.contains("be friendly") || text.contains("Be friendly"), "{text}");
        assert!(text.contains("demo: false") && !text.contains("staging: false"), "{text}");
        hold_the_promise(&mut staging, &written, &text).await;
        // The other environment is as it was.
        prod.files = staging.files.clone();
        assert!(!prod.plan().await.summary().has_changes());
    });
}

fn config_of_another() -> serde_json::Value {
    with("/agent/max_tool_steps", json!(7))
}

#[test]
fn an_import_sends_nothing_but_get() {
    run(async {
        let mut world = world(&organization(), Behaviour::default());
        world.sandbox.clear_log();
        import_all(&mut world).await;
        assert!(world.sandbox.log().iter().all(|entry| entry.request.method.as_str() == "GET"));
    });
}
