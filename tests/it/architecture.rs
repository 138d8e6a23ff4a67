//! The house: which module may name which, and what pure code may not know (design, section 9).

use std::path::{Path, PathBuf};

/// The arrows. A module may name itself and what stands here; shell files of a pure module are named apart.
const ARROWS: [(&str, &[&str]); 14] = [
    ("model", &[]),
    ("diagnostics", &["model"]),
    ("manifest", &["model", "diagnostics"]),
    ("schema", &["model", "diagnostics", "manifest"]),
    ("plan", &["model", "diagnostics"]),
    ("render", &["model", "diagnostics", "plan"]),
    ("disk", &[]),
    ("http", &["model", "disk"]),
    ("api", &["model", "http"]),
    ("live", &["model", "api", "http"]),
    ("apply", &["model", "plan", "api", "http", "live"]),
    ("sandbox", &["http", "model", "disk"]),
    ("forge", &["http", "model"]),
    ("session", &["model", "diagnostics", "manifest", "schema", "plan", "http", "api", "live", "apply", "sandbox"]),
];

/// Folders whose code knows no clock, environment, file, network or `async`.
const PURE: [&str; 6] = ["model", "diagnostics", "manifest", "schema", "plan", "render"];

/// Shell files that live in a pure folder, beside what they feed.
const SHELL_FILES: [&str; 2] = ["manifest/load.rs", "schema/fetch.rs"];

/// Pure files that live in a shell folder: what a forge is told is decided there.
const PURE_FILES: [&str; 5] =
    ["forge/context.rs", "forge/marker.rs", "forge/comment.rs", "forge/warning.rs", "forge/github_wire.rs"];

/// Most lines a file of the house may have.
const LONGEST_FILE: usize = 600;

fn sources(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The lines of a file that are code: no comments, and nothing from its unit tests on.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().to_owned()))
        .collect()
}

fn is_shell_file(path: &Path) -> bool {
    SHELL_FILES.iter().any(|file| path.ends_with(file))
}

#[test]
fn arrows_go_one_way() {
    let mut faults = Vec::new();
    for (module, allowed) in ARROWS {
        for path in sources(module) {
            for (line, text) in code(&path) {
                for (_, rest) in text.match_indices("crate::").map(|(at, found)| (at, &text[at + found.len()..])) {
                    let named: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let fetches = is_shell_file(&path) && matches!(&*named, "http" | "disk");
                    let is_module =
                        ARROWS.iter().any(|(other, _)| *other == named) || named == "cli" || named == "forge";
                    if is_module && named != module && !allowed.contains(&named.as_str()) && !fetches {
                        faults.push(format!("{}:{line}: `{module}` names `{named}`", path.display()));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pure_code_knows_no_clock_no_file_no_network_and_no_future() {
    let words =
        ["async ", ".await", "std::fs", "std::env", "std::net", "tokio", "reqwest", "Instant::now", "SystemTime"];
    let mut faults = Vec::new();
    let files = PURE_FILES.iter().map(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file));
    for path in PURE.iter().flat_map(|module| sources(module)).filter(|path| !is_shell_file(path)).chain(files) {
        for (line, text) in code(&path) {
            for word in words.iter().filter(|word| text.contains(**word)) {
                faults.push(format!("{}:{line}: pure code says `{word}`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_are_opened_by_disk_alone_and_programs_started_in_two_places() {
    let opening =
        ["fs::read(", "read_to_string(", "fs::write(", "fs::copy(", "File::open", "File::create", "File::options"];
    let opening = opening.into_iter().chain(["OpenOptions", "NamedTempFile", "create_dir"]);
    let words = opening
        .map(|word| (word, "disk/"))
        .chain([("Command::new(", "cli/checkout.rs"), ("\"git\"", "cli/checkout.rs")]);
    let words: Vec<(&str, &str)> = words.collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for path in sources("") {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for (line, text) in code(&path) {
            for (word, room) in words.iter().filter(|(word, room)| text.contains(word) && !name.starts_with(room)) {
                // `verify` runs what a reviewed manifest names.
                if !(name == "apply/verify.rs" && *word == "Command::new(") {
                    faults.push(format!("src/{name}:{line}: `{word}` belongs to `{room}`"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_file_has_one_subject_and_at_most_six_hundred_lines() {
    let long: Vec<String> = sources("")
        .into_iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn one_place_publishes_one_assigns_and_one_waits() {
    let rooms = [
        (".publish(", "publishing.rs"),
        ("Proven {", "proof.rs"),
        ("Written {", "draft.rs"),
        ("Ready {", "publishing.rs"),
        ("Published {", "publishing.rs"),
        ("clock.sleep(", "eventually.rs"),
    ];
    // The grace after a signal, and the renewal of a lease while a program runs: neither looks at the service.
    let others = [("clock.sleep(", "execute.rs"), ("clock.sleep(", "verify.rs")];
    let mut faults = Vec::new();
    for path in sources("apply") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (line, text) in code(&path) {
            for (word, room) in rooms.iter().filter(|(word, room)| text.contains(word) && name != *room) {
                let is_a_use = text.contains(&format!("Reached::{word}")) || others.contains(&(word, name.as_str()));
                if !is_a_use {
                    faults.push(format!("src/apply/{name}:{line}: `{word}` belongs to `{room}`"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_reader_never_asks_for_the_latest_version_because_that_get_may_make_a_draft() {
    for path in sources("api").into_iter().chain(sources("live")).chain(sources("apply")) {
        for (line, text) in code(&path) {
            assert!(!text.contains("versions/latest"), "{}:{line}", path.display());
        }
    }
}

#[test]
fn a_writer_formats_and_does_not_decide_what_is_risky_or_in_conflict() {
    let mut faults = Vec::new();
    for path in ["render/text", "render/html", "render/markdown"].into_iter().flat_map(sources) {
        for (line, text) in code(&path) {
            let names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            let decided = names.filter(|name| ["Cause", "Risk", "AlarmCode", "Held"].contains(name)).count();
            if decided > 0 {
                faults.push(format!("{}:{line}: this belongs to `render::view`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
