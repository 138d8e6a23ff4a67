//! Random manifests, random edits in the dashboard: what is adopted is no drift any more, comments survive, and a second
//! adoption writes nothing.

use proptest::prelude::*;
use reachform::plan::drift::DriftState;
use reachform::sandbox::Behaviour;
use serde_json::{Value, json};

use crate::world::{World, run};

/// Texts that people write, and texts that break YAML.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}( [a-z]{1,8}){0,30}",
        "[ -~]{0,40}",
        "([ -~]{0,30}\n){1,6}",
        "[a-zä-ü💥\n\t:#'\"-]{0,60}",
        Just("yes".to_owned()),
        Just("+15551234567".to_owned()),
        Just("- a\n- b\n".to_owned()),
        Just("\u{2028}\u{feff}\u{7}".to_owned()),
    ]
}

/// One of the ways in which a text can be written behind a key at an indent.
fn written(text: &str, way: usize, indent: usize) -> String {
    let is_simple =
        text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') && text.trim() == text && !text.is_empty();
    let pad = " ".repeat(indent);
    match way {
        0 if is_simple => format!("x {text}"),
        1 if is_simple => format!("'x {text}'"),
        2 if is_simple => format!("|\n{pad}x {text}"),
        3 if is_simple => format!(">-   # folded\n{pad}x {text}\n{pad}and on"),
        4 if is_simple => format!("|+  # kept\n{pad}x {text}\n\n{pad}y\n\n"),
        _ => json!(text).to_string(),
    }
}

#[derive(Clone, Debug)]
struct Tool {
    name: String,
    description: String,
    required: Vec<String>,
    way: usize,
}

fn tool() -> impl Strategy<Value = Tool> {
    ("[a-f]", "[a-z]{1,6}( [a-z]{1,6}){0,12}", proptest::collection::vec("[a-z]{1,4}", 0..3), 0..6_usize)
        .prop_map(|(name, description, required, way)| Tool { name, description, required, way })
}

fn unique(mut tools: Vec<Tool>) -> Vec<Tool> {
    let mut names = std::collections::BTreeSet::new();
    tools.retain(|tool| names.insert(tool.name.clone()));
    tools
}

fn tool_value(tool: &Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "properties": {}, "required": tool.required,
        "actions": [{"type": "hangup"}]})
}

fn tools_text(tools: &[Tool], flow: bool) -> String {
    if tools.is_empty() {
        return " []".to_owned();
    }
    if flow {
        let items: Vec<String> = tools.iter().map(|tool| tool_value(tool).to_string()).collect();
        return format!(" [{}]", items.join(", "));
    }
    let mut out = String::new();
    for (index, tool) in tools.iter().enumerate() {
        let Tool { name, description, required, way } = tool;
        let description = written(description, *way, 10);
        let lines = format!(
            "\n      # tool {index}\n      - name: {name}   # named\n        description: {description}\n        properties: {{}}\n        \
             required: {required:?}\n        actions:\n          - type: hangup"
        );
        out.push_str(&lines);
    }
    out
}

#[derive(Clone, Debug)]
enum Edit {
    Instructions(String),
    Greeting(String),
    Steps(Option<u64>),
    Temperature(f64),
    Voice(String),
    Tools(Vec<Tool>),
    Description(Option<String>),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let one = prop_oneof![
        text().prop_map(Edit::Instructions),
        text().prop_map(Edit::Greeting),
        proptest::option::of(1..30_u64).prop_map(Edit::Steps),
        (0..20_u8).prop_map(|tenths| Edit::Temperature(f64::from(tenths) / 10.0)),
        text().prop_map(Edit::Voice),
        proptest::collection::vec(tool(), 0..5).prop_map(unique).prop_map(Edit::Tools),
        proptest::option::of(text()).prop_map(Edit::Description),
    ];
    proptest::collection::vec(one, 1..5)
}

fn manifest(instructions: &str, ways: [usize; 3], tools: &[Tool], flow: bool) -> String {
    let [a, b, c] = ways;
    format!(
        "# head\nkey: a\nname: Agent a  # name\ndescription: {}\n# before config\nconfig:\n  # before agent\n  agent:\n    \
         type: static_prompt\n    instructions: {}\n    # before greeting\n    starting_message:\n      \
         type: bot_initiates_static\n      text: {}\n    tools:{}\n    # before steps\n    max_tool_steps: 3   # steps\n    \
         stack:\n      type: stt_llm_tts\n      turn_detection: {{models: [{{provider: livekit, model: {{name: multilingual}}}}]}}\n      \
         stt: {{models: [{{provider: deepgram, model: {{name: nova-3-general}}}}]}}\n      llm:\n        models:\n        \
         # the model\n        - provider: openai\n          model: {{name: gpt-4.1, parameters: {{temperature: 0.4}}}}   # warm\n      \
         tts: {{models: [{{provider: cartesia, model: {{name: sonic-3, parameters: {{voice: v1}}}}}}]}}   # voice\n# tail\n",
        written("Answers", a, 2),
        written(instructions, b, 6),
        written("Hello", c, 8),
        tools_text(tools, flow),
    )
}

/// Comments that stand outside every value that an edit may replace whole.
const COMMENTS: [&str; 10] = [
    "# head",
    "# name",
    "# before config",
    "# before agent",
    "# before greeting",
    "# before steps",
    "# the model",
    "# warm",
    "# voice",
    "# tail",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_was_adopted_is_no_drift_comments_survive_and_a_second_time_nothing_is_written(
        instructions in "[a-z]{1,8}( [a-z]{1,8}){0,20}",
        ways in [0..6_usize, 0..6_usize, 0..6_usize],
        tools in proptest::collection::vec(tool(), 0..5).prop_map(unique),
        flow in any::<bool>(),
        windows in any::<bool>(),
        edits in edits(),
    ) {
        run(async {
            let mut world = World::new(Behaviour::default());
            world.options.limits.change_percent = 100;
            let text = manifest(&instructions, ways, &tools, flow);
            let text = if windows { text.replace('\n', "\r\n") } else { text };
            world.write("a", text.clone());
            world.apply().await;
            let id = world.id("Agent a");
            for one in &edits {
                let mut config = world.live_config("Agent a");
                match one {
                    Edit::Instructions(text) => config["agent"]["instructions"] = json!(text),
                    Edit::Greeting(text) => config["agent"]["starting_message"]["text"] = json!(text),
                    Edit::Steps(Some(steps)) => config["agent"]["max_tool_steps"] = json!(steps),
                    Edit::Steps(None) => {
                        config["agent"].as_object_mut().unwrap().shift_remove("max_tool_steps");
                    }
                    Edit::Temperature(by) => {
                        config["agent"]["stack"]["llm"]["models"][0]["model"]["parameters"]["temperature"] = json!(by);
                    }
                    Edit::Voice(text) => config["agent"]["stack"]["tts"]["models"][0]["model"]["parameters"]["voice"] = json!(text),
                    Edit::Tools(tools) => {
                        config["agent"]["tools"] = Value::Array(tools.iter().map(tool_value).collect());
                    }
                    Edit::Description(text) => {
                        let fields = serde_json::Map::from_iter([("description".to_owned(), json!(text))]);
                        world.sandbox.with(|service| service.dashboard_change(&id, &fields).unwrap());
                        continue;
                    }
                }
                world.sandbox.with(|service| service.dashboard_release(&id, config).unwrap());
            }
            let (before, adoption) = world.adopt(false).await;
            let after = world.files["agents/a.yaml"].clone();
            assert!(adoption.refused.is_empty(), "{:#?}\n{text}", adoption.refused);
            let left = world.drift().await;
            assert_eq!(left.state(), DriftState::Clean, "{:#?}\n{text}\n-----\n{after}", left.agents);
            assert_eq!(before.state() == DriftState::Clean, adoption.files.is_empty());
            for comment in COMMENTS {
                assert!(after.contains(comment), "{comment} is lost:\n{text}\n-----\n{after}");
            }
            // A value that is gone takes the comment behind it along; any other leaves it.
            let steps = world.live_config("Agent a")["agent"].get("max_tool_steps").is_some();
            assert!(!steps || after.contains("# steps"), "{after}");
            assert_eq!(after.matches('\n').count() == after.matches("\r\n").count(), windows, "{after:?}");
            let (_, second) = world.adopt(false).await;
            assert!(second.files.is_empty() && second.adopted.is_empty() && second.refused.is_empty());
        });
    }
}
