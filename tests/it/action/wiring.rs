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
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            if let Some(input) = value.as_str().unwrap().strip_prefix("${{ inputs.").and_then(|v| v.strip_suffix(" }}"))
            {
                mapped.insert(input.to_owned(), name.clone());
            }
        }
    }
    let inputs = action()["inputs"].as_object().unwrap().keys();
    for input in inputs.clone() {
        let wanted = match input.as_str() {
            // What is used before there is a program is checked by the script that brings it.
            "version" | "cache" => format!("REACHFORM_{}", input.to_ascii_uppercase()),
            "token" => "GITHUB_TOKEN".to_owned(),
            other => format!("REACHFORM_INPUT_{}", other.to_ascii_uppercase().replace('-', "_")),
        };
        assert_eq!(mapped.get(input), Some(&wanted), "the input `{input}`");
    }
    assert_eq!(mapped.len(), inputs.count());
    assert!(environment.keys().all(|name| !name.contains("__")));
}

#[test]
fn no_expression_stands_in_a_script_no_other_action_but_the_cache_is_used_and_the_program_is_the_last_process() {
    for step in steps() {
        if let Some(uses) = step["uses"].as_str() {
            let commit = uses.strip_prefix("actions/cache@").expect("no other action");
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
            continue;
        }
        assert_eq!(step["shell"], "bash");
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
    }
    let last = steps().last().unwrap()["run"].as_str().unwrap();
    assert!(last.lines().last().unwrap().starts_with("exec \"$REACHFORM_BINARY\" "), "{last}");
    for before in &steps()[..steps().len() - 1] {
        assert!(!before.to_string().contains("token"), "only the program is given a credential: {before}");
    }
}

#[test]
fn the_outputs_that_are_declared_are_those_that_every_run_writes() {
    let mut repository = Repository::new();
    repository.event(30, "push", &serde_json::json!({"ref": "refs/heads/main"}));
    let declared: BTreeSet<&str> = action()["outputs"].as_object().unwrap().keys().map(String::as_str).collect();
    for command in ["plan", "apply", "drift", "validate", "nonsense"] {
        // The runner of these tests refuses an output that the step did not write.
        let done = repository.runs_without_credential(&[("command", command)]);
        assert_eq!(done.outputs.keys().map(String::as_str).collect::<BTreeSet<_>>(), declared, "{command}");
        assert_ne!(done.output("exit-code"), "", "{command}");
    }
}

/// Runs the installing script in a copy of its folder, with a table of checksums and a `curl` and `cargo` of its own, from
/// a workspace that a stranger has filled.
struct Install {
    root: tempfile::TempDir,
}

/// What a run of the installing script left behind.
struct Installed {
    ok: bool,
    said: String,
    /// The text of the program that it names as its output.
    binary: String,
    /// How `curl` or `cargo` was called: the arguments, then the folder, then the variables, each on its line.
    log: String,
    /// The outputs of the step.
    written: String,
}

impl Installed {
    fn output(&self, name: &str) -> &str {
        self.written.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap()
    }
}

/// Variables of a job that no program started by the script may see.
const JOB_SECRETS: [(&str, &str); 6] = [
    ("ANYREACH_TOKEN", "job-secret-1"),
    ("GITHUB_TOKEN", "job-secret-2"),
    ("ACTIONS_RUNTIME_TOKEN", "job-secret-3"),
    ("REACHFORM_SECRET_CRM", "job-secret-4"),
    ("TOKEN-WITH-A-DASH", "job-secret-5"),
    ("RUSTC_WRAPPER", "job-secret-6"),
];

impl Install {
    fn new(checksums: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let install = Self { root };
        install.write("log", "");
        for file in ["Cargo.toml", "Cargo.lock", ".github/action/install.sh"] {
            install.write(&format!("action/{file}"), &std::fs::read_to_string(action_folder().join(file)).unwrap());
        }
        install.write("action/src/main.rs", "fn main() {}\n");
        let table = checksums.replace(SOURCES, install.sources().trim());
        install.write("action/.github/action/checksums.txt", &table);
        install.write("workspace/rust-toolchain.toml", "[toolchain]\npath = \"/evil\"\n");
        install.write("workspace/.cargo/config.toml", "[build]\nrustc-wrapper = \"/evil\"\n");
        // The last argument is the address, the one before it the file.
        install.program("curl", "printf 'the program' >\"${@: -2:1}\"");
        install.program(
            "cargo",
            "mkdir -p \"$6/bin\"; printf 'built' >\"$6/bin/reachform\"; chmod 755 \"$6/bin/reachform\"",
        );
        install
    }

    /// What the script says that these sources are.
    fn sources(&self) -> String {
        let path = |name: &str| self.root.path().join(name);
        let mut command = Command::new("bash");
        command.arg(path("action/.github/action/install.sh")).arg("--sources").env_clear();
        command.env("PATH", "/usr/bin:/bin").env("GITHUB_ACTION_PATH", path("action"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let log = self.root.path().join("log");
        let log = format!("{{ echo \"$@\"; echo \"in $PWD\"; env; }} >{}", log.display());
        self.write(&format!("bin/{name}"), &format!("#!/usr/bin/env bash\n{log}\n{script}\n"));
        let path = self.root.path().join("bin").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The runner begins another job: its temporary folder is empty, and the tool cache is what it was.
    fn begins_another_job(&self) {
        std::fs::remove_dir_all(self.root.path().join("temp")).unwrap();
    }

    fn run(&self, version: &str, repository: &str) -> Installed {
        self.run_with(&[], version, repository)
    }

    fn run_with(&self, arguments: &[&str], version: &str, repository: &str) -> Installed {
        self.write("output", "");
        self.write("log", "");
        let path = |name: &str| self.root.path().join(name);
        let output = Command::new("bash")
            .arg(path("action/.github/action/install.sh"))
            .args(arguments)
            .current_dir(path("workspace"))
            .env_clear()
            .envs(JOB_SECRETS)
            .env("PATH", format!("{}:/usr/bin:/bin", path("bin").display()))
            .env("GITHUB_ACTION_PATH", path("action"))
            .env("GITHUB_WORKSPACE", path("workspace"))
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
        Installed { ok: output.status.success(), said, binary: binary.unwrap_or_default(), log, written }
    }
}

/// Stands in a table for the hash of the sources.
const SOURCES: &str = "(sources)";

/// A table that knows the program by this digest on every platform, as built from the sources that are there.
fn table(digest: &str) -> String {
    let targets =
        ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];
    let line = |target: &&str| format!("{digest}  reachform-{}-{target}", reachform::VERSION);
    let sources = format!("# sources of reachform-{}: {SOURCES}\n", reachform::VERSION);
    sources + &targets.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// The table that knows what the `curl` of these tests fetches.
fn released() -> String {
    let digest = Digest::of_bytes(b"the program");
    table(digest.as_str().trim_start_matches("sha256:"))
}

#[test]
fn a_release_is_taken_by_its_checksum_alone_and_the_sources_are_built_if_there_is_none() {
    let install = Install::new(&released());
    let first = install.run("", "acme/reachform");
    assert!(first.ok && first.binary == "the program", "{}", first.said);
    let address =
        format!("https://github.com/acme/reachform/releases/download/v{0}/reachform-{0}-", reachform::VERSION);
    assert!(first.log.contains(&address), "{}", first.log);
    let again = install.run("", "acme/reachform");
    assert!(
        again.ok && again.binary == "the program" && again.log.is_empty(),
        "it is not fetched again: {}",
        again.log
    );

    // Another file at the address is not run, and nothing is built instead of it in silence.
    let other = Install::new(&table(&"0".repeat(64))).run("", "acme/reachform");
    assert!(
        !other.ok && other.binary.is_empty() && other.said.contains("its SHA-256 is another one"),
        "{}",
        other.said
    );

    let install = Install::new("# nothing\n");
    let built = install.run("", "");
    assert!(built.ok && built.binary == "built" && built.log.contains("install --locked --path"), "{}", built.said);
    let again = install.run("", "");
    assert!(again.ok && again.binary == "built" && again.log.is_empty(), "it is not built again: {}", again.log);
    install.write("action/src/main.rs", "fn main() { println!() }\n");
    assert!(!install.run("", "").log.is_empty(), "other sources are built anew");

    let unknown = install.run("99.0.0", "acme/reachform");
    assert!(!unknown.ok && unknown.said.contains("no checksum of reachform 99.0.0"), "{}", unknown.said);
    let odd = install.run("$(id)", "acme/reachform");
    assert!(!odd.ok && odd.said.contains("is not a version like"), "{}", odd.said);
}

#[test]
fn a_later_commit_of_the_released_version_is_built_and_runs_no_older_program() {
    let install = Install::new(&released());
    install.write("action/src/main.rs", "fn main() { println!() }\n");
    let later = install.run("", "acme/reachform");
    assert!(later.ok && later.binary == "built", "{}", later.said);
    assert!(!later.log.contains("releases/download"), "{}", later.log);
    let place = install.run_with(&["--where"], "", "acme/reachform");
    assert!(place.output("key").contains("-built-"), "{}", place.written);
    // Whoever names a release gets it.
    let named = install.run(reachform::VERSION, "acme/reachform");
    assert!(named.ok && named.binary == "the program", "{}", named.said);
    // What a release writes is what the script then reads.
    let packed = std::fs::read_to_string(action_folder().join("packaging/pack")).unwrap();
    assert!(packed.contains("# sources of reachform-$version: $(") && packed.contains("install.sh\" --sources"));
}

#[test]
fn what_the_input_cache_may_be_is_said_before_anything_is_built() {
    let install = Install::new("# nothing\n");
    for (cache, is_right) in [("true", true), ("false", true), ("", true), ("yes", false)] {
        let mut command = Command::new("bash");
        command.arg(install.root.path().join("action/.github/action/install.sh")).arg("--where").env_clear();
        command.env("PATH", "/usr/bin:/bin").env("GITHUB_ACTION_PATH", install.root.path().join("action"));
        let output = command.env("RUNNER_TEMP", install.root.path()).env("REACHFORM_CACHE", cache).output().unwrap();
        assert_eq!(output.status.success(), is_right, "{cache}: {output:?}");
    }
}

#[test]
fn a_build_is_kept_under_a_key_that_only_its_sources_have_and_a_release_is_not() {
    let key = |install: &Install| {
        let installed = install.run_with(&["--where"], "", "acme/reachform");
        assert!(installed.ok && installed.log.is_empty(), "{}", installed.said);
        installed.output("key").to_owned()
    };
    let install = Install::new("# nothing\n");
    let first = key(&install);
    assert!(first.starts_with(&format!("reachform-{}-built-", reachform::VERSION)), "{first}");
    assert_eq!(key(&install), first);
    install.write("action/src/main.rs", "fn main() { println!() }\n");
    let second = key(&install);
    assert_ne!(second, first);
    // What the cache has brought back is where the installing step looks.
    let folder = install.run_with(&["--where"], "", "").output("folder").to_owned();
    install.run("", "");
    let binary = std::path::Path::new(&folder).join("reachform");
    assert!(binary.is_file(), "{folder}");
    assert!(install.run("", "").log.is_empty(), "it is not built again");
    assert_eq!(key(&Install::new(&released())), "");
}

#[test]
fn what_installs_the_program_runs_outside_the_workspace_with_a_pinned_toolchain_and_without_any_secret() {
    for (checksums, repository, program) in [(released(), "acme/reachform", "curl"), (String::new(), "", "cargo")] {
        let install = Install::new(&checksums);
        let done = install.run("", repository);
        assert!(done.ok && !done.log.is_empty(), "{program}: {}", done.said);
        let action = install.root.path().join("action").canonicalize().unwrap();
        assert!(done.log.contains(&format!("\nin {}\n", action.display())), "{program}: {}", done.log);
        for (name, secret) in JOB_SECRETS {
            assert!(!done.log.contains(secret) && !done.log.contains(name), "{program} sees {name}: {}", done.log);
        }
        // Nor the files by which a step speaks to the runner.
        assert!(!done.log.contains("GITHUB_OUTPUT"), "{program}: {}", done.log);
        if program == "cargo" {
            assert!(done.log.contains("\nRUSTUP_TOOLCHAIN=1."), "{}", done.log);
        }
    }
}

#[test]
fn nothing_that_an_earlier_job_left_is_run() {
    let install = Install::new("# nothing\n");
    assert!(install.run("", "").ok);
    install.begins_another_job();
    assert!(!install.run("", "").log.is_empty(), "what an earlier job left was run");
    // Nor a folder that someone else has put in the way.
    install.begins_another_job();
    std::fs::create_dir(install.root.path().join("temp")).unwrap();
    std::fs::create_dir(install.root.path().join("elsewhere")).unwrap();
    let link = install.root.path().join("temp/reachform-install");
    std::os::unix::fs::symlink(install.root.path().join("elsewhere"), link).unwrap();
    let refused = install.run("", "");
    assert!(!refused.ok && refused.said.contains("was made by someone else"), "{}", refused.said);
}
