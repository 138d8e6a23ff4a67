//! Whose mistake stops a run: that of an agent which the run would write, and no other.

use reachform::diagnostics::Severity;
use reachform::manifest::{MemoryFiles, resolve};
use reachform::model::Key;
use reachform::plan::Plan;
use reachform::sandbox::Behaviour;
use reachform::session::leave_out;

use crate::scene::manifest;
use crate::world::{World, run};

fn told(plan: &Plan, severity: Severity) -> Vec<&'static str> {
    plan.diagnostics.iter().filter(|problem| problem.severity == severity).map(|problem| problem.code).collect()
}

async fn applied() -> World {
    let mut world = World::new(Behaviour::default());
    world.options.limits.change_percent = 100;
    world.write("a", manifest("a", ""));
    world.write("b", manifest("b", ""));
    world.apply().await;
    world
}

fn retired(key: &str) -> String {
    manifest(key, "").replace("bot_initiates_static", "bot_starts")
}

#[test]
fn a_mistake_of_an_agent_that_is_left_out_is_a_warning_and_of_one_that_is_planned_an_error() {
    run(async {
        let mut world = applied().await;
        world.write("b", retired("b"));
        world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
        assert!(!world.plan().await.is_applyable());
        world.options.targets.insert(Key::parse("a").unwrap());
        let plan = world.plan().await;
        assert!(plan.is_applyable(), "{:#?}", plan.diagnostics);
        assert_eq!(told(&plan, Severity::Warning), ["schema-unknown-branch"]);
        world.options.targets.clear();
        world.options.excludes.insert(Key::parse("a").unwrap());
        assert!(!world.plan().await.is_applyable());
    });
}

#[test]
fn an_agent_that_nothing_changes_is_no_error_whatever_the_schema_says_by_now() {
    run(async {
        let world = applied().await;
        let mut schema = crate::scene::schema_with_defaults();
        schema["$defs"]["StaticPromptAgent"]["properties"]["max_tool_steps"] = serde_json::json!({"type": "string"});
        let schema = reachform::sandbox::ConfigSchema::compile(schema).unwrap();
        world.sandbox.with(|service| service.set_schema(schema));
        let plan = world.plan().await;
        assert!(plan.is_applyable() && !plan.summary().has_changes(), "{:#?}", plan.diagnostics);
        assert_eq!(told(&plan, Severity::Warning), ["schema-type", "schema-type"]);
    });
}

#[test]
fn a_value_that_is_live_as_it_is_declared_does_not_hold_a_change_of_another() {
    run(async {
        let mut world = applied().await;
        let mut schema = crate::scene::schema_with_defaults();
        schema["$defs"]["StaticPromptAgent"]["properties"]["max_tool_steps"] = serde_json::json!({"type": "string"});
        let schema = reachform::sandbox::ConfigSchema::compile(schema).unwrap();
        world.sandbox.with(|service| service.set_schema(schema));
        world.write("a", manifest("a", "").replace("text: Hello", "text: Good morning"));
        let plan = world.plan().await;
        assert_eq!(plan.summary().update, 1);
        assert!(plan.is_applyable(), "{:#?}", plan.diagnostics);
        world.write("a", manifest("a", "").replace("max_tool_steps: 3", "max_tool_steps: 4"));
        let plan = world.plan().await;
        assert_eq!(told(&plan, Severity::Error), ["schema-type"], "{:#?}", plan.diagnostics);
    });
}

#[test]
fn a_manifest_that_is_left_out_may_have_mistakes_of_its_own_but_must_be_parsed() {
    run(async {
        let mut world = applied().await;
        let only_a = reachform::plan::Options {
            targets: [Key::parse("a").unwrap()].into(),
            ..reachform::plan::Options::default()
        };
        for (text, is_left_out) in [
            (manifest("b", "").replace("max_tool_steps: 3", "max_tool_steps: !var nobody"), true),
            (manifest("b", "colour: blue"), true),
            (manifest("b", "phone_numbers: {inbound: [one]}"), true),
            (manifest("b", "]"), false),
            (manifest("a", ""), false),
            (manifest("c", "phone_numbers: {inbound: ['+15550109999']}"), true),
        ] {
            world.write("b", text.clone());
            // The last one has a twin, which claims its number as well.
            world.write("twin", manifest("c", "phone_numbers: {inbound: ['+15550109999']}"));
            let mut files = MemoryFiles::default();
            world.files.iter().for_each(|(name, text)| files.add(name.clone(), text.clone()));
            let mut resolved = resolve(&files, None, &|_| None);
            assert!(resolved.diagnostics.has_errors(), "{text}");
            leave_out(&mut resolved, &only_a);
            assert_eq!(!resolved.diagnostics.has_errors(), is_left_out, "{text}");
        }
    });
}

#[test]
fn what_every_plan_refuses_a_check_of_the_manifests_refuses_at_the_field() {
    for (field, value) in [
        ("web_widgets", "[w1]"),
        ("email_addresses", "[a@x.example]"),
        ("sip_endpoint", "true"),
        ("instruction_builder_inputs", "{a: b}"),
    ] {
        let mut files = MemoryFiles::default();
        files.add("agents/a.yaml", manifest("a", &format!("{field}: {value}")));
        let resolved = resolve(&files, None, &|_| None);
        let schema = crate::scene::schema();
        let found = reachform::session::check(&resolved, &schema, reachform::schema::Leniency::Strict);
        let found = found.sorted(&resolved.sources);
        let [problem] = found.as_slice() else { panic!("{field}: {found:#?}") };
        assert_eq!(problem.code, "not-supported-yet");
        let Some(reachform::diagnostics::Place::Span(span)) = &problem.place else { panic!("{problem:#?}") };
        assert_eq!(&resolved.sources.text(span.file)[span.start..span.end], field);
    }
}

#[test]
fn an_agent_that_callers_reach_without_a_prompt_is_a_warning() {
    run(async {
        let numbers = "phone_numbers: {inbound: [\"+15550100001\"]}";
        for (more, text, expected) in
            [(numbers, "\"\"", vec!["no-prompt"]), ("", "\"\"", vec![]), (numbers, "Answer.", vec![])]
        {
            let mut world = World::new(Behaviour::default());
            world.write("a", manifest("a", more).replace("You answer the telephone of a clinic.", text));
            assert_eq!(told(&world.plan().await, Severity::Warning), expected, "{more} {text}");
        }
    });
}

#[test]
fn an_unknown_property_is_an_error_unless_it_is_live_already() {
    run(async {
        let with = |steps: u8| {
            let lines = format!("max_tool_steps: {steps}\n      max_tool_stepz: 3");
            manifest("a", "").replace("max_tool_steps: 3", &lines)
        };
        let mut world = applied().await;
        world.write("a", with(3));
        assert_eq!(told(&world.plan().await, Severity::Error), ["schema-unknown-property"]);
        let id = world.id("Agent a");
        let place = "/agent/max_tool_stepz";
        world.sandbox.with(|service| service.dashboard_edit(&id, place, serde_json::json!(3)).unwrap());
        world.write("a", with(4));
        let plan = world.plan().await;
        assert!(plan.is_applyable(), "{:#?}", plan.diagnostics);
        assert_eq!(told(&plan, Severity::Warning), ["schema-unknown-property"]);
    });
}
