//! Pages of the reference that are made from the program: compared with it, or written with `REACHFORM_BLESS=1`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};
use reachform::cli::args::Cli;
use reachform::cli::exit::Exit;
use reachform::cli::explain::AREAS;
use reachform::cli::schema::manifest_schema;
use serde_json::{Value, json};

use super::{files, read, root};

const MADE: &str =
    "<!-- Made from the program: REACHFORM_BLESS=1 cargo test --locked --test it docs::reference -->\n\n";

/// Compares a page with the file, or writes it.
#[track_caller]
fn assert_page(name: &str, page: &str) {
    let page = format!("{MADE}{page}");
    let file = format!("docs/reference/{name}.md");
    if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(root().join(&file), page).unwrap();
        return;
    }
    assert!(read(&file) == page, "{file} is not what the program says; bless with REACHFORM_BLESS=1");
}

#[test]
fn the_page_of_codes_has_every_code_with_its_meaning_its_fix_and_an_example() {
    let examples = examples();
    let mut page = String::from(
        "# Diagnostic codes\n\nEvery problem has a stable code, which `reachform explain CODE` explains on the command line as well.\n\
         A problem is an error, which stops the command, a warning, or a notice.\n",
    );
    let (mut codes, mut shown) = (0, 0);
    for (area, known) in AREAS {
        write!(page, "\n## {area}\n").unwrap();
        for one in known {
            assert!(one.meaning.ends_with('.') && one.fix.ends_with(['.', '`']), "{}: not a sentence", one.code);
            write!(page, "\n### {}\n\n{} **What to do:** {}\n", one.code, one.meaning, one.fix).unwrap();
            codes += 1;
            if let Some(example) = examples.get(one.code) {
                write!(page, "\n```text\n{}\n```\n", example.trim_end()).unwrap();
                shown += 1;
            }
        }
    }
    assert!(codes > 100 && shown * 10 > codes * 7, "{shown} of {codes} codes have an example");
    assert_page("codes", &page);
}

/// The shortest problem with each code that the fixtures show.
fn examples() -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let fixtures = ["fixtures/manifest", "fixtures/schema", "fixtures/cli"];
    for path in fixtures.iter().flat_map(|folder| files(folder, "txt")) {
        // What somebody wrote to deceive is no example.
        if path.display().to_string().contains("hostile") {
            continue;
        }
        for (code, text) in problems(&std::fs::read_to_string(&path).unwrap()) {
            let known = found.entry(code).or_insert_with(|| text.clone());
            if text.len() < known.len() {
                *known = text;
            }
        }
    }
    found
}

/// The problems of a text, each from its `error[code]` to the next one.
fn problems(text: &str) -> Vec<(String, String)> {
    let code = |line: &str| {
        let (severity, rest) = line.trim_start().split_once('[')?;
        let code = matches!(severity, "error" | "warning" | "notice").then(|| rest.split(']').next())??;
        Some(code.to_owned())
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(code) = code(line) {
            found.push((code, String::new()));
            open = true;
        } else if !line.is_empty() && !line.starts_with([' ', '|']) {
            // A line of the excerpt has its number before a bar; the count of the problems has no bar.
            open &=
                line.starts_with("help:") || line.starts_with("note:") || line.contains(" | ") || line.ends_with(" |");
        }
        if let (true, Some((_, text))) = (open, found.last_mut()) {
            writeln!(text, "{line}").unwrap();
        }
    }
    found
}

#[test]
fn the_page_of_commands_has_every_command_and_every_flag() {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    let mut page = String::from("# Commands\n\n");
    writeln!(page, "{}.", cli.get_about().unwrap()).unwrap();
    page.push_str("\n| command | does |\n| --- | --- |\n");
    for command in visible(&cli) {
        let (name, about) = (command.get_name(), command.get_about().unwrap());
        writeln!(page, "| [`{name}`](#reachform-{name}) | {} |", cell(&about.to_string())).unwrap();
    }
    page.push_str("\n## Flags of every command\n\n");
    page.push_str(&flags(cli.get_arguments()));
    for command in visible(&cli) {
        section(command, 2, &mut page);
    }
    assert_page("commands", &page);
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set())
}

fn section(command: &Command, level: usize, page: &mut String) {
    let name = command.get_bin_name().unwrap();
    write!(page, "\n{} {name}\n\n{}.\n", "#".repeat(level), command.get_about().unwrap()).unwrap();
    if let Some(more) = command.get_after_help() {
        write!(page, "\n{more}\n").unwrap();
    }
    let usage = command.clone().render_usage().to_string();
    write!(page, "\n```text\n{}\n```\n\n", usage.trim_start_matches("Usage: ")).unwrap();
    page.push_str(&flags(command.get_arguments().filter(|argument| !argument.is_global_set())));
    for below in visible(command) {
        section(below, level + 1, page);
    }
}

fn flags<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut rows = String::new();
    for argument in arguments.filter(|one| !one.is_hide_set() && !matches!(one.get_id().as_str(), "help" | "version")) {
        let value =
            argument.get_value_names().map(|names| names.join(" ")).filter(|_| argument.get_action().takes_values());
        let mut names: Vec<String> = argument.get_short().map(|short| format!("-{short}")).into_iter().collect();
        names.extend(argument.get_long().map(|long| format!("--{long}")));
        let spelled = match (names.is_empty(), value) {
            (true, value) => value.unwrap_or_default(),
            (false, Some(value)) => format!("{} {value}", names.join(", ")),
            (false, None) => names.join(", "),
        };
        let mut what = argument.get_long_help().or_else(|| argument.get_help()).unwrap().to_string();
        let choices: Vec<String> =
            argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !choices.is_empty() && argument.get_action().takes_values() {
            write!(what, ". One of {}", choices.join(", ")).unwrap();
        }
        if let ([default], true) = (argument.get_default_values(), argument.get_action().takes_values()) {
            write!(what, " (default `{}`)", default.to_string_lossy()).unwrap();
        }
        writeln!(rows, "| `{spelled}` | {} |", cell(&what)).unwrap();
    }
    if rows.is_empty() { String::new() } else { format!("| flag | does |\n| --- | --- |\n{rows}") }
}

/// Text in one cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn the_page_of_exit_codes_has_every_code() {
    let mut page = String::from(
        "# Exit codes\n\nText, JSON and exit code are derived from one value, so they never disagree. If nothing was written, the code\n\
         is the gravest of 6, 4, 3 and 1.\n\n| code | meaning |\n| --- | --- |\n",
    );
    for exit in Exit::ALL {
        writeln!(page, "| {} | {} |", exit.code(), exit.meaning()).unwrap();
    }
    assert_page("exit-codes", &page);
}

#[test]
fn the_page_of_manifests_has_every_field_with_its_type_default_and_example() {
    let schema = manifest_schema(json!({"type": "object"}));
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut page = String::from(
        "# Fields of a manifest\n\nA manifest is one YAML document; a file may hold several. Only `key` and `name` are required: what a\n\
         manifest does not declare is left as it is on the service. The [tags](tags.md) bring in files, variables and secrets.\n\
         `reachform schema --out .reachform/manifest.schema.json` writes the schema that this page is made of, for your editor.\n",
    );
    let properties = schema["properties"].as_object().unwrap();
    for (name, field) in properties {
        let example = &field["examples"][0];
        assert!(!example.is_null() && field["description"].is_string(), "`{name}` lacks a description or an example");
        let is_required = if required.contains(&name.as_str()) { ", required" } else { "" };
        let default = match &field["default"] {
            Value::Null if is_required.is_empty() => "; not managed if absent".to_owned(),
            Value::Null => String::new(),
            default => format!("; default `{default}`"),
        };
        let example = serde_json::to_string(&json!({name: example})).unwrap();
        let example = example.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap();
        let (_, value) = example.split_once(':').unwrap();
        write!(
            page,
            "\n## {name}\n\n{}{is_required}{default}. {}\n\n```yaml\n{name}: {}\n```\n",
            capital(&kind(field)),
            field["description"].as_str().unwrap(),
            spaced(value)
        )
        .unwrap();
    }
    assert!(properties.len() >= 18);
    assert_page("manifest", &page);
}

/// JSON as flow YAML reads well: a blank behind each comma and colon that is not inside a text.
fn spaced(json: &str) -> String {
    let (mut out, mut quoted) = (String::new(), false);
    for c in json.chars() {
        quoted ^= c == '"';
        out.push(c);
        if !quoted && matches!(c, ',' | ':') {
            out.push(' ');
        }
    }
    out
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// The type of a schema in words; a reference is a link to its section.
fn kind(schema: &Value) -> String {
    let one = |name: &str| match name {
        "array" => match kind(&schema["items"]) {
            plain if plain.chars().all(char::is_alphabetic) => format!("list of {plain}s"),
            item => format!("list of {item}"),
        },
        "object" => "object".to_owned(),
        name => name.to_owned(),
    };
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    for union in ["anyOf", "oneOf", "allOf"] {
        if let Some(parts) = schema[union].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().map(|name| one(name.as_str().unwrap())).collect::<Vec<_>>().join(" or "),
        _ => "any value".to_owned(),
    }
}

#[test]
fn the_page_of_documents_has_every_property_of_every_schema() {
    let mut page = String::from(
        "# JSON documents\n\nWith `--json`, stdout holds one JSON document and nothing else; `--json-out FILE` writes it to a file beside the\n\
         usual output. `format_version` is `MAJOR.MINOR`: a minor version only adds properties, so ignore those that you do not know.\n\
         The schemas themselves are in `fixtures/render/`.\n",
    );
    let mut parts: BTreeMap<String, Value> = BTreeMap::new();
    let mut schemas = 0;
    for path in files("fixtures/render", "json") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(document) = name.strip_suffix(".schema.json") else { continue };
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        write!(page, "\n## The `{document}` document\n\n{}\n\n", schema["description"].as_str().unwrap()).unwrap();
        page.push_str(&properties(&schema));
        for (name, part) in schema["$defs"].as_object().unwrap() {
            if let Some(known) = parts.insert(name.clone(), part.clone()) {
                assert_eq!(&known, part, "two documents describe `{name}` differently");
            }
        }
        schemas += 1;
    }
    assert!(schemas >= 5, "{schemas} schemas");
    page.push_str("\n## Parts\n");
    for (name, part) in &parts {
        write!(page, "\n### {name}\n\n").unwrap();
        if let Some(what) = part["description"].as_str() {
            writeln!(page, "{}\n", prose(what)).unwrap();
        }
        match part["properties"].as_object() {
            Some(_) => page.push_str(&properties(part)),
            None => writeln!(page, "{}.", capital(&kind(part))).unwrap(),
        }
    }
    assert_page("json", &page);
}

fn properties(schema: &Value) -> String {
    let mut out = String::from("| property | type | meaning |\n| --- | --- | --- |\n");
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let optional = if required.contains(&json!(name)) { "" } else { ", optional" };
        let what = property["description"].as_str().unwrap_or_default();
        writeln!(out, "| `{name}` | {}{optional} | {} |", cell(&kind(property)), prose(&cell(what))).unwrap();
    }
    out
}

/// A description that was written for the program's own documentation: a link to an item of it is only a name.
fn prose(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}
