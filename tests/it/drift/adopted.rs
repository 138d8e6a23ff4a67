//! `drift --adopt`: what is written, what is left, and that nothing else changes.

use reachform::manifest::MemoryFiles;
use reachform::plan::drift::{Drift, DriftState};
use reachform::sandbox::{Behaviour, Direction};
use reachform::session::{Adopting, Adoption, NoPast, adopt, check_drift, read};
use serde_json::{Map, Value, json};

use super::applied;
use super::edit;
use crate::scene::manifest;
use crate::world::{World, run};

impl World {
    /// Adopts everything that has drifted, in memory, as the command does on disk.
    pub async fn adopt(&mut self, force: bool) -> (Drift, Adoption) {
        let (workspace, outside) = (self.workspace(), self.outside());
        let reader = outside.reader();
        let mut service = read(&outside, &reader, None).await.unwrap();
        let drift = check_drift(&workspace, &self.options, &outside, &reader, &mut service, &NoPast).await.unwrap();
        let mut files = MemoryFiles::default();
        for (name, text) in &self.files {
            files.add(name.clone(), text.clone().into_bytes());
        }
        let secrets = self.secrets.clone();
        let secrets = move |name: &str| secrets.get(name).cloned();
        let outside = self.outside();
        let adopting = Adopting {
            files: &files,
            environment: self.environment.as_deref(),
            secrets: &secrets,
            force,
            redactor: outside.client.redactor(),
        };
        let adoption = adopt(&drift, &workspace, &service, &adopting);
        for (name, change) in &adoption.files {
            assert_eq!(&change.before, &self.files[name]);
            self.files.insert(name.clone(), change.after.clone());
        }
        (drift, adoption)
    }

    /// Adopts everything, and insists that all of it was, that no drift is left, and that a second time nothing happens.
    pub async fn adopt_all(&mut self, what: &str) -> Adoption {
        let (_, adoption) = self.adopt(false).await;
        assert!(adoption.refused.is_empty(), "{what}: {:#?}", adoption.refused);
        self.assert_clean(what).await;
        let plan = self.plan().await;
        assert!(!plan.summary().has_changes(), "{what}: {:#?}", plan.changes);
        let (drift, second) = self.adopt(false).await;
        assert_eq!(drift.state(), DriftState::Clean, "{what}");
        assert_eq!(second, Adoption::default(), "{what}");
        adoption
    }
}

/// The lines that differ, as `-old` and `+new`.
fn changed(before: &str, after: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches('\n')))
        .collect()
}

const LAID_OUT: &str = r#"# Riverside.
key: a   # the key
name: 'Agent a'
description: >-
  Answers the phone of the clinic, books, moves and cancels appointments, and takes
  messages where it cannot help.

metadata: {team: "x", tier: 1}   # ours
config:
  version: "1"
  agent:
    type: static_prompt
    # The prompt.
    instructions: |
      You answer the telephone.

      Be kind.
    starting_message: {type: bot_initiates_static, text: Hello}
    tools:
      # The first.
      - name: one
        description: "First"   # quoted
        properties: {}
        required: []
        actions: [{type: hangup}]

      # The second.
      - name: two
        description: Second
        properties:
          reason: {type: string, description: why}
        required: [reason]
        actions:
          - type: play_message
            message: One moment.
          - type: hangup
    max_tool_steps: 3   # three
    stack:
      type: stt_llm_tts
      turn_detection: {models: [{provider: livekit, model: {name: multilingual}}]}
      stt: {models: [{provider: deepgram, model: {name: nova-3-general}}]}
      llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}
      tts: {models: [{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}]}
phone_numbers:
  inbound:
    - "+15550100002"   # main
    - "+15550100001"
  outbound: []
# The end.
"#;

async fn laid_out() -> World {
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    world.write("a", LAID_OUT);
    world.apply().await;
    world
}

/// Edits in the dashboard, one at a time, and the lines of the manifest that adopting each of them changes.
#[test]
fn only_the_lines_of_what_changed_are_written() {
    let cases: [(&str, Value, &[&str]); 12] = [
        ("/agent/max_tool_steps", json!(9), &["-    max_tool_steps: 3   # three", "+    max_tool_steps: 9   # three"]),
        (
            "/agent/instructions",
            json!("You answer the telephone.\n\nBe brief.\n"),
            &["-      Be kind.", "+      Be brief."],
        ),
        (
            "/agent/instructions",
            json!("One line."),
            &[
                "-    instructions: |",
                "-      You answer the telephone.",
                "-",
                "-      Be kind.",
                "+    instructions: |-",
                "+      One line.",
            ],
        ),
        (
            "/agent/starting_message/text",
            json!("Hello, you"),
            &[
                "-    starting_message: {type: bot_initiates_static, text: Hello}",
                "+    starting_message: {type: bot_initiates_static, text: \"Hello, you\"}",
            ],
        ),
        (
            "/agent/tools/0/description",
            json!("The first"),
            &["-        description: \"First\"   # quoted", "+        description: \"The first\"   # quoted"],
        ),
        (
            "/agent/tools/1/actions/0/message",
            json!("Wait: please"),
            &["-            message: One moment.", "+            message: \"Wait: please\""],
        ),
        (
            "/agent/tools/1/properties/reason/description",
            json!("because"),
            &[
                "-          reason: {type: string, description: why}",
                "+          reason: {type: string, description: because}",
            ],
        ),
        ("/agent/tools/1/required", json!([]), &["-        required: [reason]", "+        required: []"]),
        ("/agent/tools/0/required", json!(["a", "b"]), &["-        required: []", "+        required: [a, b]"]),
        (
            "/agent/stack/llm/models/0/model/parameters/temperature",
            json!(0.7),
            &[
                "-      llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}",
                "+      llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.7}}}]}",
            ],
        ),
        (
            "/agent/tools/0/properties",
            json!({"x": {"type": "string", "description": "d"}}),
            &[
                "-        properties: {}",
                "+        properties:",
                "+          x:",
                "+            type: string",
                "+            description: d",
            ],
        ),
        ("/version", json!("2"), &["-  version: \"1\"", "+  version: \"2\""]),
    ];
    for (place, value, lines) in cases {
        run(async {
            let mut world = laid_out().await;
            edit(&world, "Agent a", place, value.clone());
            world.adopt_all(place).await;
            assert_eq!(changed(LAID_OUT, &world.files["agents/a.yaml"]), lines, "{place} {value}");
        });
    }
}

#[test]
fn items_come_and_go_with_their_lines_and_comments_elsewhere_stay() {
    run(async {
        let mut world = laid_out().await;
        let tools = world.live_config("Agent a")["agent"]["tools"].clone();
        let (one, two) = (tools[0].clone(), tools[1].clone());
        let mut three = one.clone();
        three["name"] = json!("three");
        three["description"] = json!("Line one.\nLine two.\n");
        edit(&world, "Agent a", "/agent/tools", json!([one, three, two]));
        world.adopt_all("an item between").await;
        assert_eq!(
            changed(LAID_OUT, &world.files["agents/a.yaml"]).iter().filter(|line| line.starts_with('-')).count(),
            0
        );
        let with_three = world.files["agents/a.yaml"].clone();
        assert!(
            with_three.contains("      - name: three\n        description: |\n          Line one.\n"),
            "{with_three}"
        );
        world.apply().await;
        edit(&world, "Agent a", "/agent/tools", json!([three, two]));
        world.adopt_all("the first item goes").await;
        assert!(changed(&with_three, &world.files["agents/a.yaml"]).iter().all(|line| line.starts_with('-')));
        world.apply().await;
        edit(&world, "Agent a", "/agent/tools", json!([]));
        world.adopt_all("all items go").await;
        assert!(world.files["agents/a.yaml"].contains("    tools: []\n    max_tool_steps: 3   # three\n"));
        assert!(world.files["agents/a.yaml"].ends_with("# The end.\n"));
    });
}

#[test]
fn values_that_are_gone_on_the_service_leave_the_manifest() {
    run(async {
        let mut world = laid_out().await;
        let mut config = world.live_config("Agent a");
        config["agent"].as_object_mut().unwrap().shift_remove("max_tool_steps");
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_release(&id, config).unwrap());
        world.adopt_all("a removed value").await;
        let lines = changed(LAID_OUT, &world.files["agents/a.yaml"]);
        // Where the service fills in a default there is nothing to take out.
        assert!(lines.is_empty() || lines == ["-    max_tool_steps: 3   # three"], "{lines:?}");
    });
}

#[test]
fn name_description_metadata_and_numbers_are_adopted_in_their_own_layout() {
    run(async {
        let mut world = laid_out().await;
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["team"] = json!("y");
        let fields = Map::from_iter([
            ("name".to_owned(), json!("Agent of Ann's")),
            ("description".to_owned(), json!("Answers the phone of the clinic.")),
            ("metadata".to_owned(), metadata),
        ]);
        world.sandbox.with(|service| {
            service.dashboard_change(&id, &fields).unwrap();
            service.dashboard_assign("+15550100002", Direction::Inbound, None).unwrap();
            service.dashboard_assign("+15550100005", Direction::Outbound, Some(&id)).unwrap();
        });
        world.adopt_all("outside the config").await;
        assert_eq!(
            changed(LAID_OUT, &world.files["agents/a.yaml"]),
            [
                "-name: 'Agent a'",
                "+name: 'Agent of Ann''s'",
                "-  Answers the phone of the clinic, books, moves and cancels appointments, and takes",
                "-  messages where it cannot help.",
                "+  Answers the phone of the clinic.",
                "-metadata: {team: \"x\", tier: 1}   # ours",
                "+metadata: {team: \"y\", tier: 1}   # ours",
                "-    - \"+15550100002\"   # main",
                "-  outbound: []",
                "+  outbound: [\"+15550100005\"]",
            ]
        );
    });
}

#[test]
fn a_number_that_moved_to_another_agent_moves_from_manifest_to_manifest() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        world.write("a", manifest("a", "phone_numbers:\n  inbound: [\"+15550100001\", \"+15550100002\"]"));
        world.write("b", manifest("b", "phone_numbers:\n  inbound:\n    - \"+15550100003\"\n"));
        world.apply().await;
        let b = world.id("Agent b");
        world.sandbox.with(|service| service.dashboard_assign("+15550100001", Direction::Inbound, Some(&b)).unwrap());
        world.adopt_all("a moved number").await;
        assert!(world.files["agents/a.yaml"].contains("inbound: [\"+15550100002\"]"));
        assert!(world.files["agents/b.yaml"].contains("    - \"+15550100003\"\n    - \"+15550100001\"\n"));
    });
}

const PROMPT: &str = "You answer the telephone of a clinic.\r\nBe kind.\r\n";

async fn with_files() -> World {
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    world.secrets.insert("CRM".to_owned(), "crm-secret-4417-value".to_owned());
    world.files.insert("prompts/a.md".to_owned(), format!("\u{feff}{PROMPT}"));
    world.files.insert(
        "stacks/voice.yaml".to_owned(),
        "# Voices.\nmodels:\n- {provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}} # v\n".to_owned(),
    );
    world.files.insert("stacks/llm.json".to_owned(), "{\n  \"models\": [\n    {\"provider\": \"openai\", \"model\": {\"name\": \"gpt-4.1\", \"parameters\": {\"temperature\": 0.4}}}\n  ]\n}\n".to_owned());
    for key in ["a", "b"] {
        let text = manifest(key, "metadata: {crm_token: !secret CRM, tier: !var tier}")
            .replace(
                "tts: {models: [{provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}}]}",
                "tts: !file ../stacks/voice.yaml",
            )
            .replace(
                "llm: {models: [{provider: openai, model: {name: gpt-4.1, parameters: {temperature: 0.4}}}]}",
                "llm: !merge [!file ../stacks/llm.json, {}]",
            );
        let text = if key == "a" {
            text.replace("You answer the telephone of a clinic.", "!file ../prompts/a.md  # the prompt")
        } else {
            text
        };
        world.write(key, text);
    }
    world.files.insert(
        "reachform.yaml".to_owned(),
        "version: 1\nproject: test\nenvironments:\n  prod: {variables: {tier: gold}}\n".to_owned(),
    );
    world.apply().await;
    world
}

#[test]
fn a_prompt_goes_into_its_file_with_the_files_own_line_ends() {
    run(async {
        let mut world = with_files().await;
        let manifest = world.files["agents/a.yaml"].clone();
        edit(&world, "Agent a", "/agent/instructions", json!("You answer the telephone of a clinic.\nBe brief.\n"));
        world.adopt_all("a prompt").await;
        assert_eq!(world.files["prompts/a.md"], format!("\u{feff}{}", PROMPT.replace("kind", "brief")));
        assert_eq!(world.files["agents/a.yaml"], manifest);
    });
}

#[test]
fn a_shared_file_is_edited_where_all_who_share_it_agree_and_left_where_they_do_not() {
    run(async {
        let mut world = with_files().await;
        let before = world.files.clone();
        let voice = |voice: &str| json!([{"provider": "cartesia", "model": {"name": "sonic-3", "parameters": {"voice": voice}}}]);
        edit(&world, "Agent a", "/agent/stack/tts/models", voice("v2"));
        let (_, adoption) = world.adopt(false).await;
        assert_eq!(adoption.refused.len(), 1, "{adoption:#?}");
        assert!(adoption.refused[0].reason.contains("agent.b shares it"), "{}", adoption.refused[0].reason);
        assert_eq!(world.files, before);

        edit(&world, "Agent b", "/agent/stack/tts/models", voice("v3"));
        let (_, adoption) = world.adopt(false).await;
        assert_eq!((adoption.refused.len(), adoption.files.len()), (2, 0), "{adoption:#?}");

        edit(&world, "Agent b", "/agent/stack/tts/models", voice("v2"));
        world.adopt_all("a shared file").await;
        assert_eq!(
            changed(&before["stacks/voice.yaml"], &world.files["stacks/voice.yaml"]),
            [
                "-- {provider: cartesia, model: {name: sonic-3, parameters: {voice: v1}}} # v",
                "+- {provider: cartesia, model: {name: sonic-3, parameters: {voice: v2}}} # v",
            ]
        );
        for agent in ["Agent a", "Agent b"] {
            edit(&world, agent, "/agent/stack/llm/models/0/model/parameters/temperature", json!(0.9));
        }
        world.adopt_all("a layer of a merge, in JSON").await;
        assert_eq!(world.files["stacks/llm.json"], before["stacks/llm.json"].replace("0.4", "0.9"));
    });
}

#[test]
fn variables_and_secrets_are_named_and_left_and_the_rest_is_adopted() {
    run(async {
        let mut world = with_files().await;
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["crm_token"] = json!("another-value-of-the-secret");
        metadata["tier"] = json!("silver");
        world.sandbox.with(|service| {
            service.dashboard_change(&id, &Map::from_iter([("metadata".to_owned(), metadata)])).unwrap();
        });
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let (_, adoption) = world.adopt(false).await;
        let mut told: Vec<String> = adoption
            .refused
            .iter()
            .map(|refused| format!("{}: {}", refused.path.as_ref().unwrap(), refused.reason))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "/metadata/crm_token: it is a secret, or holds one, which must not be written to a file: write it as `!secret NAME`",
                "/metadata/tier: the value comes from `!var`, so the manifest does not hold it",
            ]
        );
        assert_eq!(adoption.adopted.len(), 1);
        assert!(world.files["agents/a.yaml"].contains("max_tool_steps: 9"));
        assert!(world.files.values().all(|text| !text.contains("another-value")));
    });
}

#[test]
fn what_other_environments_share_goes_into_the_patch_of_this_one() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.files.insert(
            "reachform.yaml".to_owned(),
            "version: 1\nproject: test\nenvironments:\n  prod: {}\n  staging: {}\n".to_owned(),
        );
        world.environment = Some("prod".to_owned());
        let base =
            manifest("a", "environments:\n  # Staging is quick.\n  staging: {config: {agent: {max_tool_steps: 1}}}\n");
        world.write("a", base.clone());
        world.apply().await;
        // Staging has its own, so the base is this environment's alone.
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        let adoption = world.adopt_all("not shared").await;
        assert!(!adoption.adopted[0].in_patch);
        assert!(world.files["agents/a.yaml"].contains("      max_tool_steps: 9\n"));
        world.apply().await;
        let before = world.files["agents/a.yaml"].clone();
        edit(&world, "Agent a", "/agent/instructions", json!("You answer\nin two lines.\n"));
        let adoption = world.adopt_all("shared").await;
        assert!(adoption.adopted[0].in_patch);
        assert_eq!(
            changed(&before, &world.files["agents/a.yaml"]),
            [
                "+  prod:",
                "+    config:",
                "+      agent:",
                "+        instructions: |",
                "+          You answer",
                "+          in two lines."
            ]
        );
        world.apply().await;
        // The second time the value stands in the patch, and is edited there.
        let before = world.files["agents/a.yaml"].clone();
        edit(&world, "Agent a", "/agent/instructions", json!("You answer\nin 2 lines.\n"));
        world.adopt_all("in the patch").await;
        assert_eq!(
            changed(&before, &world.files["agents/a.yaml"]),
            ["-          in two lines.", "+          in 2 lines."]
        );
        world.apply().await;
        edit(&world, "Agent a", "/agent/starting_message/text", json!("Good day"));
        world.adopt_all("one more in the same patch").await;
        assert!(
            world.files["agents/a.yaml"].contains("        starting_message:\n          text: Good day\n"),
            "{}",
            world.files["agents/a.yaml"]
        );
    });
}

#[test]
fn a_conflict_is_adopted_only_by_force() {
    run(async {
        let mut world = laid_out().await;
        edit(&world, "Agent a", "/agent/max_tool_steps", json!(9));
        world.write("a", LAID_OUT.replace("max_tool_steps: 3", "max_tool_steps: 7"));
        let (_, adoption) = world.adopt(false).await;
        assert!(adoption.files.is_empty() && adoption.refused[0].reason.contains("--force"), "{adoption:#?}");
        let (_, adoption) = world.adopt(true).await;
        assert_eq!(adoption.adopted.len(), 1);
        assert!(world.files["agents/a.yaml"].contains("max_tool_steps: 9   # three"));
        world.write("a", LAID_OUT.replace("    max_tool_steps: 3   # three\n", ""));
        let (_, adoption) = world.adopt(true).await;
        assert!(adoption.files.is_empty(), "{adoption:#?}");
    });
}

#[test]
fn an_absent_agent_and_a_slot_on_an_old_version_are_named_and_left() {
    run(async {
        let mut world = laid_out().await;
        world.write("b", manifest("b", ""));
        world.apply().await;
        let b = world.id("Agent b");
        let a = world.id("Agent a");
        world.sandbox.with(|service| {
            service.dashboard_delete(&b).unwrap();
            let draft = service.dashboard_draft(&a).unwrap();
            service.dashboard_publish(&a, draft).unwrap();
        });
        let before = world.files.clone();
        let (_, adoption) = world.adopt(false).await;
        assert_eq!(adoption.refused.len(), 3, "{adoption:#?}");
        assert_eq!(world.files, before);
    });
}

#[test]
fn windows_line_ends_anchors_and_several_documents_stay_as_they_are() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        let two = format!(
            "{}---\n# second\n{}",
            manifest("a", "metadata: {x: &team red, y: *team, z: 1}"),
            manifest("b", "")
        );
        world.files.insert("agents/both.yaml".to_owned(), two.replace('\n', "\r\n"));
        world.apply().await;
        let before = world.files["agents/both.yaml"].clone();
        edit(&world, "Agent b", "/agent/instructions", json!("Line one.\nLine two.\n"));
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["z"] = json!(2);
        metadata["x"] = json!("blue");
        world.sandbox.with(|service| {
            service.dashboard_change(&id, &Map::from_iter([("metadata".to_owned(), metadata)])).unwrap();
        });
        let (_, adoption) = world.adopt(false).await;
        assert_eq!(adoption.refused.len(), 1, "{adoption:#?}");
        assert!(adoption.refused[0].reason.contains("/metadata/y would change with it"), "{adoption:#?}");
        let after = &world.files["agents/both.yaml"];
        assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{after:?}");
        assert_eq!(
            changed(&before.replace("\r\n", "\n"), &after.replace("\r\n", "\n")),
            [
                "-metadata: {x: &team red, y: *team, z: 1}",
                "+metadata: {x: &team red, y: *team, z: 2}",
                "-      instructions: You answer the telephone of a clinic.",
                "+      instructions: |",
                "+        Line one.",
                "+        Line two.",
            ]
        );
    });
}

#[test]
fn a_text_with_a_secret_of_this_run_in_it_is_not_written_into_git() {
    run(async {
        let mut world = applied(&["a"]).await;
        world.secrets.insert("PIN".to_owned(), "73519".to_owned());
        edit(&world, "Agent a", "/agent/instructions", json!("Say 73519 to whoever asks."));
        let (_, adoption) = world.adopt(false).await;
        assert!(adoption.files.is_empty() && adoption.refused.len() == 1, "{adoption:#?}");
    });
}
