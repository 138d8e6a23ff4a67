//! `action.yml` itself: everything is wired, and nothing in it can be injected into.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use reachform::model::Digest;
use serde_json::Value;

use super::runner::{Repository, action, action_folder};

fn steps() -> &'static [Value] {
    action()["runs"]["steps"].as_array().unwrap()
}

#[test]
fn every_input_reaches_the_program_under_its_own_name() {
    let environment = steps().last().unwrap()["env"].as_object().unwrap();
    let mut mapped: BTreeMap<String, String> = BTreeMap::new();
    for step in steps() {
        for (name, value) in step["env"].as_object().unwrap() {
            if let Some(input) = value.as_str().unwrap().strip_prefix("${{ inputs.").and_then(|v| v.strip_suffix(" }}"))
            {
                mapped.insert(input.to_owned(), name.clone());
            }
        }
    }
    for input in action()["inputs"].as_object().unwrap().keys() {
        let wanted = match input.as_str() {
            "version" => "REACHFORM_VERSION".to_owned(),
            "token" => "GITHUB_TOKEN".to_owned(),
            other => format!("REACHFORM_INPUT_{}", other.to_ascii_uppercase().replace('-', "_")),
        };
        assert_eq!(mapped.get(input), Some(&wanted), "the input `{input}`");
    }
    assert_eq!(mapped.len(), action()["inputs"].as_object().unwrap().len());
    assert!(environment.keys().all(|name| !name.contains("__")));
}

#[test]
fn no_expression_stands_in_a_script_no_other_action_is_used_and_the_program_is_the_last_process() {
    for step in steps() {
        assert!(step.get("uses").is_none(), "{step}");
        assert_eq!(step["shell"], "bash");
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
    }
    let last = steps().last().unwrap()["run"].as_str().unwrap();
    assert!(last.lines().last().unwrap().starts_with("exec \"$REACHFORM_BINARY\" "), "{last}");
    let install = &steps()[0]["env"];
    assert!(!install.to_string().contains("token"), "the installing step is given no credential: {install}");
}

#[test]
fn the_outputs_that_are_declared_are_those_that_every_run_writes() {
    let repository = Repository::new();
    let declared: BTreeSet<&str> = action()["outputs"].as_object().unwrap().keys().map(String::as_str).collect();
    for command in ["plan", "apply", "drift", "validate", "nonsense"] {
        // The runner of these tests refuses an output that the step did not write.
        let done = repository.runs_without_credential(&[("command", command)]);
        assert_eq!(done.outputs.keys().map(String::as_str).collect::<BTreeSet<_>>(), declared, "{command}");
        assert_ne!(done.output("exit-code"), "", "{command}");
    }
}

/// Runs the installing script in a copy of its folder, with a table of checksums and a `curl` of its own.
struct Install {
    root: tempfile::TempDir,
}

impl Install {
    fn new(checksums: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let install = Self { root };
        for file in ["Cargo.toml", "Cargo.lock", ".github/action/install.sh"] {
            install.write(&format!("action/{file}"), &std::fs::read_to_string(action_folder().join(file)).unwrap());
        }
        install.write("action/src/main.rs", "fn main() {}\n");
        install.write("action/.github/action/checksums.txt", checksums);
        // The last argument is the address, the one before it the file.
        install.program("curl", "echo \"$@\" >\"$LOG\"; printf 'the program' >\"${@: -2:1}\"");
        install.program("cargo", "mkdir -p \"$6/bin\"; echo \"$@\" >\"$LOG\"; printf 'built' >\"$6/bin/reachform\"; chmod 755 \"$6/bin/reachform\"");
        install
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(&format!("bin/{name}"), &format!("#!/usr/bin/env bash\n{script}\n"));
        let path = self.root.path().join("bin").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Whether it succeeded, what it said, which program it wrote, what it ran.
    fn run(&self, version: &str, repository: &str) -> (bool, String, String, String) {
        self.write("output", "");
        self.write("log", "");
        let path = |name: &str| self.root.path().join(name);
        let output = Command::new("bash")
            .arg(path("action/.github/action/install.sh"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", path("bin").display()))
            .env("LOG", path("log"))
            .env("GITHUB_ACTION_PATH", path("action"))
            .env("GITHUB_OUTPUT", path("output"))
            .env("RUNNER_TEMP", path("temp"))
            .env("RUNNER_TOOL_CACHE", path("tools"))
            .env("REACHFORM_VERSION", version)
            .env("REACHFORM_REPOSITORY", repository)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let written = std::fs::read_to_string(path("output")).unwrap();
        let binary = written.trim().strip_prefix("binary=").map(|path| std::fs::read_to_string(path).unwrap());
        let log = std::fs::read_to_string(path("log")).unwrap();
        (output.status.success(), said, binary.unwrap_or_default(), log)
    }
}

#[test]
fn a_release_is_taken_by_its_checksum_alone_and_the_sources_are_built_where_there_is_none() {
    let targets =
        ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];
    let table = |digest: &str| -> String {
        let line = |target: &&str| format!("{digest}  reachform-{}-{target}", reachform::VERSION);
        targets.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    let digest = Digest::of_bytes(b"the program");
    let digest = digest.as_str().trim_start_matches("sha256:").to_owned();

    let install = Install::new(&table(&digest));
    let (ok, said, binary, log) = install.run("", "acme/reachform");
    assert!(ok && binary == "the program", "{said}");
    let address =
        format!("https://github.com/acme/reachform/releases/download/v{0}/reachform-{0}-", reachform::VERSION);
    assert!(log.contains(&address), "{log}");
    let (ok, _, binary, log) = install.run("", "acme/reachform");
    assert!(ok && binary == "the program" && log.is_empty(), "what is there is not fetched again: {log}");

    // Another file at the address is not run, and nothing is built instead of it in silence.
    let (ok, said, binary, _) = Install::new(&table(&"0".repeat(64))).run("", "acme/reachform");
    assert!(!ok && binary.is_empty() && said.contains("its SHA-256 is another one"), "{said}");

    let install = Install::new("# nothing\n");
    let (ok, said, binary, log) = install.run("", "");
    assert!(ok && binary == "built" && log.contains("install --locked --path"), "{said}{log}");
    let (ok, _, binary, log) = install.run("", "");
    assert!(ok && binary == "built" && log.is_empty(), "what is built is not built again: {log}");
    install.write("action/src/main.rs", "fn main() { println!() }\n");
    assert!(!install.run("", "").3.is_empty(), "other sources are built anew");

    let (ok, said, ..) = install.run("99.0.0", "acme/reachform");
    assert!(!ok && said.contains("no checksum of reachform 99.0.0"), "{said}");
    let (ok, said, ..) = install.run("$(id)", "acme/reachform");
    assert!(!ok && said.contains("is no version"), "{said}");
}
