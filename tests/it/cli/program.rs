//! One project folder, and the program run in it with nothing of our own environment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::service::Server;

/// Values that must stand in no output of any run: every token and every secret that a test hands out.
pub const SECRETS: [&str; 5] = [
    reachform::sandbox::SANDBOX_TOKEN,
    "ak_wrong.5f2c9d",
    "pat_personal.77aa01",
    "crm-secret-4417-value",
    "sandbox:CRM_KEY",
];

/// The manifest of the quickstart.
pub const MANIFEST: &str = "agents/riverside.yaml";

/// A copy of the quickstart in a folder of its own, with a home of its own.
pub struct Project {
    root: TempDir,
    environment: Vec<(String, String)>,
}

/// How one run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// The quickstart against the sandbox in the program, or against nothing.
    pub fn quickstart() -> Self {
        let root = tempfile::tempdir().unwrap();
        let project = Self { root, environment: Vec::new() };
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
        for file in ["reachform.yaml", MANIFEST, "prompts/riverside.md"] {
            project.write(file, std::fs::read(example.join(file)).unwrap());
        }
        std::fs::create_dir_all(project.home()).unwrap();
        project
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        let project = Self::quickstart();
        std::fs::remove_dir_all(project.dir()).unwrap();
        std::fs::create_dir_all(project.dir()).unwrap();
        project
    }

    /// The quickstart against a service on a socket.
    pub fn at(server: &Server) -> Self {
        Self::quickstart().with("ANYREACH_API_URL", &server.url).with("ANYREACH_TOKEN", SECRETS[0])
    }

    /// One more variable of the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir().join(file)
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// Replaces text in a file, which must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no `{from}`");
        self.write(file, text.replacen(from, to, 1));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("reachform"));
        command
            .args(arguments)
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home())
            .env("XDG_CACHE_HOME", self.home().join("cache"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end. No run may show a secret.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Begins a run.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// A text with what differs from run to run taken out.
    pub fn steady(&self, text: &str) -> String {
        let mut text = text.replace(&self.dir().display().to_string(), "[PROJECT]");
        text = text.replace(&self.home().display().to_string(), "[HOME]");
        text = text.replace(&self.root.path().display().to_string(), "[ROOT]");
        without_ports(&text)
    }
}

fn without_ports(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, after) = rest.split_at(at + "127.0.0.1:".len());
        out.push_str(before);
        out.push_str("[PORT]");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let ran = Self {
            code: output.status.code().expect("the program ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in SECRETS {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "a secret is shown: {ran:#?}");
        }
        assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
        ran
    }

    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n---- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stdout.contains(words) || self.stderr.contains(words), "`{words}` is not said: {self:#?}");
        self
    }
}
