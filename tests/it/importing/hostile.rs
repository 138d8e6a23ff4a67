//! Content that breaks what writes and reads YAML.

use serde_json::{Value, json};

use super::{agent, config, imported, only, with};

/// Texts that are read as something else if they are written carelessly.
pub fn texts() -> Vec<String> {
    let long = |text: &str| format!("{}\n", text.repeat(30));
    [
        "",
        " ",
        "  two blanks before",
        "two blanks after  ",
        "a  b   c",
        "tab\there",
        "\tfirst",
        "ends with tab\t",
        "cr\r\nlf\r\n",
        "lone\rcr",
        "\r",
        "nbsp\u{a0}here",
        "\u{a0}",
        "👩‍⚕️ emoji 💥",
        "---",
        "--- a",
        "...",
        "- x",
        "? y",
        "{{name}}",
        "{{ name }} and ${OTHER}",
        "${}",
        "{%- if x -%}",
        "{",
        "}",
        "# no comment",
        "a # b",
        "a: b",
        "key:",
        "123",
        "007",
        "+15551234567",
        "1e21",
        "3.10",
        "0x1F",
        ".5",
        "-0",
        "1_000",
        "12:30",
        "2026-01-01",
        "true",
        "no",
        "null",
        "~",
        "<<",
        "=",
        "!file x.md",
        "!secret X",
        "!format a",
        "&a",
        "*a",
        "%TAG",
        "@a",
        "`a`",
        "'q'",
        "\"q\"",
        "it's",
        "back\\slash",
        "\\n",
        "\u{feff}bom",
        "\u{2028}ls",
        "\u{85}nel",
        "\u{7}bell",
        "\u{202e}bidi",
        "a\n",
        "a\n\n",
        "\na",
        "\n",
        "\n\n",
        "a\n b\n  c\n",
        " a\nb",
        "a \nb \n",
        "a\n\n\nb",
        "# heading\n\ntext\n",
        "prompts/x.md",
        "../prompts/riverside.md",
        "a,b",
        "[a]",
        "{a: b}",
        "|",
        ">",
        "|-\n x",
        "\u{fffd}",
        "é",
        "e\u{301}",
        "version https://git-lfs.github.com/spec/v1\noid x\n",
        "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n",
        "nul\0nul",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([
        long("line\n"),
        long(" indented\n"),
        long("crlf\r\n"),
        long("blank after \n"),
        format!("\u{feff}{}", long("bom\n")),
        "word ".repeat(60),
        "word  two ".repeat(40),
        "x".repeat(2_000),
        "a: b # c\n".repeat(10),
        format!("{}\n\n\n", "text\n".repeat(8)),
        "---\nkey: other\nname: Other\n---\n".repeat(2),
    ])
    .collect()
}

fn hostile_config(text: &str) -> Value {
    let mut config = with("/agent/instructions", json!(text));
    config["agent"]["tools"] = json!([{
        "name": "t", "description": text, "actions": [{"type": "play_message", "message": text}],
        "properties": {"a": {"type": "string", "description": text}}, "required": ["a"],
    }]);
    config["agent"]["starting_message"]["text"] = json!(text);
    config["metadata"] = json!({"free": text, "list": [text, {"deep": text}], text: 1});
    config
}

#[test]
fn every_text_survives_wherever_it_stands() {
    for text in texts() {
        let mut one = agent("One", hostile_config(&text));
        one["description"] = json!(text);
        one["metadata"] = json!({"note": text, "list": [text]});
        let (_, written) = imported(&[one]);
        let agent = only(&written);
        // What no manifest may hold is named; everything else is declared.
        let may_be_left = ["\0", "<<<<<<<"].iter().any(|part| text.contains(part)) || text.len() > 1_024;
        assert!(may_be_left || agent.left_out.is_empty(), "{text:?}: {:#?}", agent.left_out);
    }
}

#[test]
fn a_name_survives_and_gives_a_key_that_is_free() {
    let names: Vec<String> = texts().into_iter().filter(|text| !text.trim().is_empty() && text.len() < 100).collect();
    // Each twice, all in one organization: what one is called must not disturb another.
    let agents: Vec<Value> = names.iter().chain(&names).map(|name| agent(name, config())).collect();
    let (_, written) = imported(&agents);
    assert_eq!(written.import.agents.len(), agents.len(), "{:#?}", written.import.refused);
}

#[test]
fn numbers_nulls_and_empty_values_keep_their_form() {
    let values = json!({
        "one": 1, "float": 1.0, "big": 1e21, "small": 1e-7, "tenth": 3.10, "negative": -0.0, "text": "3.10", "max": 9_007_199_254_740_992_i64,
        "none": null, "list": [], "object": {}, "deep": {"list": [[], {}, null, [1, 2.0, "3"]], "none": {"none": null}},
        "yes": true, "keys": {"true": 1, "1": 2, "null": 3, "~": 4, "a b": 5, "": 6, "é": 7, "a/b~c": 8, "<<": 9, "- x": 10},
    });
    let mut one = agent("One", with("/metadata", values.clone()));
    one["metadata"] = values;
    let (world, written) = imported(&[one]);
    assert!(only(&written).left_out.is_empty(), "{:#?}", only(&written).left_out);
    let text = &world.files["agents/one.yaml"];
    for line in
        ["one: 1\n", "float: 1.0\n", "tenth: 3.1\n", "text: \"3.10\"\n", "none: null\n", "list: []\n", "object: {}\n"]
    {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_no_manifest_can_hold_is_left_out_with_a_comment_and_stays() {
    let deep = (0..80).fold(json!("bottom"), |below, _| json!({"d": below}));
    let mut broken = with("/metadata/huge", json!(9_007_199_254_740_993_u64));
    broken["metadata"]["listed"] = json!([1, 18_446_744_073_709_551_615_u64]);
    broken["metadata"]["nul"] = json!("a\0b");
    broken["metadata"]["kept"] = json!("kept");
    broken["metadata"]["deep"] = deep;
    broken["metadata"]["k".repeat(2_000)] = json!(1);
    let (world, written) = imported(&[agent("One", broken)]);
    let left: Vec<String> = only(&written).left_out.iter().map(|left| left.path.to_string()).collect();
    assert_eq!(left.len(), 5, "{left:#?}");
    let text = &world.files["agents/one.yaml"];
    assert!(text.contains("# huge is not declared: ") && text.contains("kept: kept"), "{text}");
}

#[test]
fn what_the_schema_refuses_although_it_is_live_is_left_out_because_validate_would_refuse_it() {
    let mut broken = with("/agent/nobody_knows", json!({"a": 1}));
    broken["agent"]["max_tool_steps"] = json!("three");
    broken["agent"]["tools"] = json!([{"name": "t"}]);
    broken["agent"]["language"] = json!({"languages": ["en"]});
    let (world, written) = imported(&[agent("One", broken)]);
    let mut left: Vec<String> = only(&written).left_out.iter().map(|left| left.path.to_string()).collect();
    left.sort();
    assert_eq!(left, ["/config/agent/max_tool_steps", "/config/agent/nobody_knows", "/config/agent/tools"]);
    assert!(world.files["agents/one.yaml"].contains("languages: [en]"));
}

#[test]
fn a_prompt_of_nine_hundred_kilobytes_becomes_a_file_and_a_larger_one_stays_in_the_manifest() {
    let large = "All about the clinic and its hours.\n".repeat(25_000);
    let larger = "All about the clinic and its hours.\n".repeat(40_000);
    let (world, _) = imported(&[
        agent("Large", with("/agent/instructions", json!(large))),
        agent("Larger", with("/agent/instructions", json!(larger))),
    ]);
    assert_eq!(world.files["prompts/large.md"], large);
    assert!(world.files["agents/larger.yaml"].len() > larger.len());
}
