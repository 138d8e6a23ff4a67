//! A secret that was applied is hidden wherever it is met later: after its tag moved, in another field, on another agent's
//! key, and in whatever the service echoes. Each plan is made by a run that does not know the value, as one with a
//! key that only reads does.

use reachform::plan::Plan;
use reachform::render::json::drift_document;
use reachform::render::markdown::{CommentContext, drift_body};
use reachform::render::text::{TextOptions, drift_text};
use reachform::sandbox::Behaviour;
use serde_json::json;

use crate::scene::manifest;
use crate::secrets::everything_of;
use crate::world::{World, run};

/// A long secret, whose hash is a quick one, and a short one, whose hash is slow.
const SECRETS: [&str; 2] = ["hook-0f3c2a91d4e8b7a65c-long-enough", "4417"];

const TOOLS: &str = "      tools: []\n";

fn tools(items: &str) -> String {
    manifest("a", "").replace(TOOLS, &format!("      tools: [{items}]\n"))
}

fn tool(name: &str, description: &str) -> String {
    format!("{{name: {name}, description: {description}, actions: [{{type: hangup}}]}}")
}

/// The manifest as it was applied, and what a pull request makes of it.
fn moves() -> Vec<(&'static str, String, String)> {
    let hook = tool("hook", "!secret S");
    let greeting =
        |text: &str| manifest("a", "").replace("{type: bot_initiates_static, text: Hello}", &format!("{{{text}}}"));
    let outside = |text: &str| format!("{}metadata: {{plain: {text}}}\n", manifest("a", ""));
    vec![
        ("a tool is inserted before it", tools(&hook), tools(&format!("{}, {hook}", tool("new", "Hangs up.")))),
        ("its tag is replaced by a text", tools(&hook), tools(&tool("hook", "Hangs up."))),
        ("its tag is replaced by null", tools(&hook), tools(&tool("hook", "null"))),
        ("its object is gone", tools(&hook), tools("")),
        ("the whole list is gone", tools(&hook), manifest("a", "").replace(TOOLS, "")),
        (
            "another branch of the union is picked",
            greeting("type: bot_initiates_static, text: !secret S"),
            greeting("type: user_initiates"),
        ),
        (
            "it becomes a text in the same field",
            greeting("type: bot_initiates_static, text: !secret S"),
            greeting("type: bot_initiates_static, text: Good day"),
        ),
        ("metadata holds it", outside("!secret S"), outside("nothing")),
        ("metadata lets it go", outside("!secret S"), manifest("a", "")),
        (
            "the manifest has another key",
            tools(&hook),
            tools(&tool("hook", "Hangs up.")).replace("key: a", "key: b\nmoved: [a]"),
        ),
    ]
}

fn assert_hidden(what: &str, plan: &Plan, secret: &str) {
    for (format, text) in everything_of(plan) {
        // Four digits also stand in digests by chance, so a short secret is looked for as a text of its own.
        let found = if secret.len() < 8 { text.contains(&format!("\"{secret}\"")) } else { text.contains(secret) };
        assert!(!found, "{what}: {format} shows it: {text}");
    }
}

#[test]
fn a_secret_that_was_applied_is_hidden_wherever_its_tag_moves() {
    for secret in SECRETS {
        for (what, before, after) in moves() {
            run(async {
                let mut world = World::new(Behaviour::default());
                world.options.limits.change_percent = 100;
                world.secrets.insert("S".to_owned(), secret.to_owned());
                world.write("a", before);
                assert!(world.apply().await.is_complete(), "{what}");
                world.assert_empty(what).await;
                // Whoever plans a pull request with a key that only reads has no value of any secret.
                world.secrets.clear();
                world.write("a", after);
                assert_hidden(what, &world.plan().await, secret);
            });
        }
    }
}

#[test]
fn a_secret_that_the_dashboard_moved_is_hidden_in_a_plan_and_in_drift() {
    for secret in SECRETS {
        for (pointer, value) in [
            (
                "/agent/tools",
                json!([{"name": "n", "description": "d", "actions": []}, {"name": "hook", "description": secret, "actions": []}]),
            ),
            ("/agent/tools/0/name", json!(secret)),
            ("/agent/instructions", json!(secret)),
            ("/unknown", json!({"deep": [secret]})),
        ] {
            run(async {
                let mut world = World::new(Behaviour::default());
                world.options.limits.change_percent = 100;
                world.secrets.insert("S".to_owned(), secret.to_owned());
                world.write("a", tools(&tool("hook", "!secret S")));
                assert!(world.apply().await.is_complete());
                let id = world.id("Agent a");
                world.sandbox.with(|service| service.dashboard_edit(&id, pointer, value.clone()).unwrap());
                world.secrets.clear();
                assert_hidden(pointer, &world.plan().await, secret);
                let drift = world.drift().await;
                let quoted = format!("\"{secret}\"");
                for text in [
                    drift_text(&drift, &TextOptions::default()),
                    drift_document(&drift),
                    drift_body(&drift, &CommentContext::default()).text,
                ] {
                    assert!(!text.contains(&quoted), "{pointer}: {text}");
                }
            });
        }
    }
}

#[test]
fn a_secret_that_was_replaced_stays_hidden_when_somebody_puts_it_back() {
    run(async {
        let mut world = World::new(Behaviour::default());
        for secret in [SECRETS[0], "the-one-that-took-its-place"] {
            world.secrets.insert("S".to_owned(), secret.to_owned());
            world.write("a", tools(&tool("hook", "!secret S")));
            assert!(world.apply().await.is_complete());
        }
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_edit(&id, "/agent/instructions", json!(SECRETS[0])).unwrap());
        world.secrets.clear();
        assert_hidden("put back", &world.plan().await, SECRETS[0]);
    });
}

#[test]
fn a_stamp_from_before_it_kept_secrets_shows_the_length_of_a_text_and_the_next_apply_brings_it_up_to_date() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        world.secrets.insert("S".to_owned(), SECRETS[0].to_owned());
        world.write("a", tools(&tool("hook", "!secret S")));
        assert!(world.apply().await.is_complete());
        world.sandbox.with(|service| crate::world::edit_stamp(service, "Agent a", |stamp| stamp.state.secrets = None));
        let secrets = std::mem::take(&mut world.secrets);
        world.write("a", tools(&tool("hook", "Hangs up.")));
        let plan = world.plan().await;
        assert_hidden("an old stamp", &plan, SECRETS[0]);
        let shown = everything_of(&plan).into_iter().find(|(format, _)| format == "document").unwrap().1;
        let length = format!("(text of {} characters)", SECRETS[0].chars().count());
        assert!(shown.contains(&length), "{shown}");
        assert!(shown.contains("Hangs up."), "{shown}");

        world.secrets = secrets;
        world.write("a", tools(&tool("hook", "!secret S")));
        assert_eq!(world.plan().await.refreshes.len(), 1);
        world.apply().await;
        world.assert_empty("after the refresh").await;
        world.secrets.clear();
        world.write("a", tools(&tool("hook", "Hangs up.")));
        let shown = everything_of(&world.plan().await).into_iter().find(|(format, _)| format == "document").unwrap().1;
        assert!(!shown.contains(&length), "{shown}");
    });
}

#[test]
fn nobody_can_try_a_short_secret_against_what_a_plan_or_a_stamp_says() {
    // The attacker has the salt, and tries every PIN against each hash of the stamp by the quick way.
    run(async {
        let mut world = World::new(Behaviour::default());
        world.secrets.insert("S".to_owned(), SECRETS[1].to_owned());
        world.write("a", format!("{}metadata: {{plain: !secret S}}\n", tools(&tool("hook", "!secret S"))));
        assert!(world.apply().await.is_complete());
        let stamp = reachform::model::Stamp::read(&world.metadata("Agent a")).unwrap().unwrap();
        let text = stamp.write().to_string();
        let bare = reachform::model::Stamp {
            state: reachform::model::StampState { secrets: Some(Vec::new()), ..stamp.state.clone() },
            ..stamp.clone()
        };
        let quick = reachform::model::Seal::of(&bare);
        let live = world.live_config("Agent a");
        for guess in [json!(SECRETS[1]), live["agent"]["tools"].clone()] {
            assert!(!text.contains(quick.hash(&guess).as_str()), "{guess}");
        }
    });
}

#[test]
fn the_hash_of_a_plan_does_not_give_a_masked_value_away() {
    // Two worlds that differ in a masked live value alone, adopted: without a stamp there is no salt, and so no trace.
    let hash = |pin: &str| {
        run(async {
            let mut world = World::new(Behaviour::default());
            world.write("a", format!("{}metadata: {{door_pin: \"{pin}\"}}\n", manifest("a", "")));
            assert!(world.apply().await.is_complete());
            let id = world.id("Agent a");
            let bare = json!({"metadata": {"door_pin": pin}});
            world.sandbox.with(|service| service.dashboard_change(&id, bare.as_object().unwrap()).unwrap());
            world.write("a", format!("{}metadata: {{door_pin: \"00000\"}}\n", manifest("a", "")));
            let plan = world.plan().await;
            assert!(plan.summary().has_changes());
            (plan.changes[0].agent_id.clone(), plan.plan_hash.as_str().to_owned())
        })
    };
    assert_eq!(hash("12345"), hash("54321"));
}

#[test]
fn what_the_service_echoes_of_a_secret_is_hidden_in_names_authors_and_messages() {
    let secret = SECRETS[0];
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        world.secrets.insert("S".to_owned(), secret.to_owned());
        world.write("a", tools(&tool("hook", "!secret S")));
        assert!(world.apply().await.is_complete());
        let id = world.id("Agent a");
        world.sandbox.with(|service| {
            let echo = json!({"description": format!("see {secret}")});
            service.dashboard_change(&id, echo.as_object().unwrap()).unwrap();
            service.dashboard_edit(&id, "/agent/instructions", json!(format!("Say {secret} aloud."))).unwrap();
        });
        world.write("a", format!("{}description: new\n", tools(&tool("hook", "!secret S"))));
        assert_hidden("an echo", &world.plan().await, secret);
    });
}

/// What the plan's JSON says of the tools, where a visible edit stands beside the secret.
fn tools_shown(world: &World) -> String {
    run(async {
        let plan = world.plan().await;
        everything_of(&plan)
            .into_iter()
            .filter(|(format, _)| format.starts_with("text Full"))
            .map(|(_, text)| text)
            .collect()
    })
}

#[test]
fn a_secret_that_takes_the_place_of_another_is_seen_beside_any_other_edit() {
    let with = |description: &str, instructions: &str| {
        tools(&tool("hook", description)).replace("You answer the telephone of a clinic.", instructions)
    };
    let both = |first: &str, second: &str| {
        tools(&format!(
            "{{name: a, description: {first}, actions: [{{type: hangup}}]}}, {{name: b, description: {second}, actions: [{{type: hangup}}]}}"
        ))
    };
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    for (name, value) in [("S", SECRETS[0]), ("T", "another-secret-of-some-length")] {
        world.secrets.insert(name.to_owned(), value.to_owned());
    }
    world.write("a", both("!secret S", "Hangs up."));
    run(async { assert!(world.apply().await.is_complete()) });
    for (first, second, shows) in [
        // The secret stays as it is: only the other tool is shown.
        ("!secret S", "Says goodbye.", false),
        ("!secret T", "Says goodbye.", true),
        ("\"(secret)\"", "Says goodbye.", true),
    ] {
        world.write("a", both(first, second));
        let shown = tools_shown(&world);
        assert!(shown.contains("Says goodbye."), "{shown}");
        assert_eq!(shown.contains("(secret)"), shows, "{first}: {shown}");
    }
    // Without the values nobody can say that it is the same, and so that is what is said.
    world.secrets.clear();
    world.write("a", both("!secret S", "Says goodbye."));
    assert!(tools_shown(&world).contains("(secret, not checked)"));
    // A text around a secret is a text.
    world.secrets.insert("S".to_owned(), SECRETS[0].to_owned());
    world.write("a", with("d", "!format \"Never promise a refund. Say {secret:S}.\""));
    run(async { assert!(world.apply().await.is_complete()) });
    for known in [true, false] {
        if !known {
            world.secrets.clear();
        }
        world.write("a", with("d", "!format \"Always promise a refund. Say {secret:S}.\""));
        let shown = tools_shown(&world);
        assert!(shown.contains("Never") && shown.contains("Always"), "{shown}");
        assert!(!shown.contains(SECRETS[0]), "{shown}");
    }
}

#[test]
fn a_key_that_becomes_another_one_in_a_prompt_is_seen() {
    let prompt = |key: &str, more: &str| {
        manifest("a", "").replace("You answer the telephone of a clinic.", &format!("Use {key} for calls.{more}"))
    };
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    world.write("a", prompt("sk-0123456789abcdefgh", ""));
    run(async { assert!(world.apply().await.is_complete()) });
    world.write("a", prompt("sk-0123456789abcdefgi", " Hello."));
    let shown = tools_shown(&world);
    assert!(!shown.contains("sk-0123") && shown.contains("by its look"), "{shown}");
    assert!(shown.contains("(secret 2, by its look)") || shown.contains('2'), "{shown}");
    world.write("a", prompt("sk-0123456789abcdefgh", " Hello."));
    assert!(!tools_shown(&world).contains("secret 2"), "the key stays as it is");
}

#[test]
fn guesses_in_a_list_are_not_told_apart_from_the_secret_by_their_numbers() {
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    world.write("a", manifest("a", "    metadata: []"));
    run(async { assert!(world.apply().await.is_complete()) });
    let id = world.id("Agent a");
    world.sandbox.with(|service| service.dashboard_edit(&id, "/metadata", json!([{"pin": "4417"}])).unwrap());
    let lines = |pins: [&str; 3]| {
        let items = pins.map(|pin| format!("{{pin: \"{pin}\"}}")).join(", ");
        let mut world = world.fork();
        world.write("a", manifest("a", &format!("    metadata: [{{pin: x}}, {items}]")));
        tools_shown(&world)
    };
    let without_hash =
        |text: String| text.lines().filter(|line| !line.contains("sha256")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_hash(lines(["1111", "4417", "2222"])), without_hash(lines(["1111", "5555", "2222"])));
}
