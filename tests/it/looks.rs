//! Texts that nobody called a secret: hidden by the name they stand under, by the name beside them, or by their look; and
//! shown again if the project says that a name holds none.

use reachform::plan::Shown;
use reachform::render::json::{plan_document, read_plan};
use reachform::sandbox::Behaviour;
use serde_json::{Value, json};

use crate::scene::manifest;
use crate::world::{World, run};

/// What the plan shows of the live value that somebody put at `/config/metadata` in the dashboard.
fn shown(not_secret: &[&str], live: &Value) -> (Shown, String) {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.not_secret = not_secret.iter().map(|name| (*name).to_owned()).collect();
        world.write("a", manifest("a", "    metadata: []"));
        assert!(world.apply().await.is_complete());
        let id = world.id("Agent a");
        world.sandbox.with(|service| service.dashboard_edit(&id, "/metadata", json!([live])).unwrap());
        let plan = world.plan().await;
        let document = plan_document(&plan, &reachform::diagnostics::SourceMap::default());
        let field = plan.changes[0].fields.iter().find(|field| field.path.to_string() == "/config/metadata").unwrap();
        (field.before.clone(), document)
    })
}

#[test]
fn the_value_beside_the_name_of_a_secret_is_hidden_and_that_beside_another_name_is_not() {
    for (name, value, expected) in [
        ("CRM_API_KEY", "live-0123456789", "(secret)"),
        ("X-Auth", "live-0123456789", "(secret)"),
        ("region", "eu-west", "eu-west"),
    ] {
        for member in ["name", "key", "header"] {
            let (before, _) = shown(&[], &json!({member: name, "value": value}));
            assert_eq!(before, Shown::Value(json!([{member: name, "value": expected}])), "{name}");
        }
    }
}

#[test]
fn a_text_that_looks_like_a_key_is_hidden_whatever_it_is_called_and_its_surroundings_are_shown() {
    for (text, expected) in [
        ("sk_live_0123456789abcdef", "(secret, by its look)"),
        ("https://crm:pass-word@crm.example.test/x", "https://(secret, by its look)@crm.example.test/x"),
        ("https://crm.example.test/x", "https://crm.example.test/x"),
    ] {
        let (before, document) = shown(&[], &json!({"url": text}));
        assert_eq!(before, Shown::Value(json!([{"url": expected}])), "{text}");
        assert_eq!(document.contains(text), text == expected);
    }
}

#[test]
fn a_name_that_the_project_lists_is_shown_and_a_secret_that_was_applied_never_is() {
    let (before, _) = shown(&["session_notes"], &json!({"session_notes": "long", "api_key": "live-0123"}));
    assert_eq!(before, Shown::Value(json!([{"session_notes": "long", "api_key": "(secret)"}])));
    let (before, _) = shown(&[], &json!({"session_notes": "long"}));
    assert_eq!(before, Shown::Value(json!([{"session_notes": "(secret)"}])));
}

#[test]
fn a_whole_text_that_looks_like_a_key_is_a_state_of_its_own_in_the_document_and_reads_back() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        world.write("a", format!("{}metadata: {{crm: x}}\n", manifest("a", "")));
        assert!(world.apply().await.is_complete());
        let id = world.id("Agent a");
        let mut metadata = world.metadata("Agent a");
        metadata["crm"] = json!("sk_live_0123456789abcdef");
        let change = json!({"metadata": metadata});
        world.sandbox.with(|service| service.dashboard_change(&id, change.as_object().unwrap()).unwrap());
        let plan = world.plan().await;
        let document = plan_document(&plan, &reachform::diagnostics::SourceMap::default());
        assert!(document.contains("secret-by-look"), "{document}");
        assert_eq!(
            read_plan(&serde_json::from_str(&document).unwrap()).unwrap().changes[0].fields[0].before,
            Shown::SecretByLook
        );
    });
}
