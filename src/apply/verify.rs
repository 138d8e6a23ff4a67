//! The `verify` command of a manifest: run on the new draft before it is published (design, section 10).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::http::runtime::Later;
use crate::model::Verify;

/// How long a command may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How much of its output is kept.
const OUTPUT_BYTES: usize = 16 * 1024;

/// What a command is run on.
#[derive(Clone, Debug)]
pub struct VerifyInput {
    /// `REACHFORM_KEY`.
    pub key: String,
    /// `REACHFORM_AGENT_ID`.
    pub agent_id: String,
    /// `REACHFORM_VERSION`.
    pub version: u64,
    /// `REACHFORM_BASE_VERSION`, empty for a first version.
    pub base_version: Option<u64>,
    /// What `REACHFORM_CONFIG_FILE` holds.
    pub config: Value,
}

/// Runs a command; a test hands in another.
pub trait Verifier: Send + Sync {
    /// Runs it. `Err` holds why the version must not be published.
    fn verify<'a>(&'a self, command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>>;
}

/// Runs the command as a process, without a shell, with no more of the environment than is named.
#[derive(Clone, Debug)]
pub struct ProcessVerifier {
    /// The environment of this program, from which `PATH`, `HOME`, `LANG` and the names in `verify.env` are taken.
    pub environment: BTreeMap<String, String>,
    /// The folder that the command runs in.
    pub dir: std::path::PathBuf,
}

impl Verifier for ProcessVerifier {
    fn verify<'a>(&'a self, command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(self.run(command, input))
    }
}

impl ProcessVerifier {
    async fn run(&self, verify: &Verify, input: &VerifyInput) -> Result<(), String> {
        let Some((program, arguments)) = verify.command.split_first() else { return Ok(()) };
        let mut file = tempfile::Builder::new()
            .prefix("reachform-config-")
            .suffix(".json")
            .tempfile()
            .map_err(|error| format!("no file for the config could be made: {error}"))?;
        file.write_all(input.config.to_string().as_bytes())
            .map_err(|error| format!("the config could not be written to {}: {error}", file.path().display()))?;
        let mut child = tokio::process::Command::new(program);
        child
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in ["PATH", "HOME", "LANG"].into_iter().chain(verify.env.iter().map(String::as_str)) {
            if let Some(value) = self.environment.get(name) {
                child.env(name, value);
            }
        }
        child
            .env("REACHFORM_KEY", &input.key)
            .env("REACHFORM_AGENT_ID", &input.agent_id)
            .env("REACHFORM_VERSION", input.version.to_string())
            .env("REACHFORM_BASE_VERSION", input.base_version.map(|version| version.to_string()).unwrap_or_default())
            .env("REACHFORM_CONFIG_FILE", file.path());
        let mut child = child.spawn().map_err(|error| format!("`{program}` could not be started: {error}"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let (out, err) = tokio::join!(read_bounded(stdout), read_bounded(stderr));
            (child.wait().await, out, err)
        };
        match tokio::time::timeout(TIMEOUT, work).await {
            Err(_) => Err(format!("`{program}` did not end within {} minutes", TIMEOUT.as_secs() / 60)),
            Ok((Err(error), ..)) => Err(format!("`{program}` could not be waited for: {error}")),
            Ok((Ok(status), ..)) if status.success() => Ok(()),
            Ok((Ok(status), out, err)) => {
                let output = if err.trim().is_empty() { out } else { err };
                Err(format!("`{program}` ended with {status}: {}", self.masked(verify, output.trim())))
            }
        }
    }

    /// The values of the variables that the command was handed must not come back in its output.
    fn masked(&self, verify: &Verify, output: &str) -> String {
        let mut text = output.to_owned();
        for value in verify.env.iter().filter_map(|name| self.environment.get(name)).filter(|value| value.len() >= 6) {
            text = text.replace(value.as_str(), "(secret)");
        }
        text
    }
}

/// Reads to the end and keeps the beginning, so that a chatty command neither blocks nor fills memory.
async fn read_bounded<R: tokio::io::AsyncRead + Unpin>(stream: Option<R>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut kept = Vec::new();
    let mut buffer = [0_u8; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let room = OUTPUT_BYTES.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, env: &[&str]) -> Result<(), String> {
        let verifier = ProcessVerifier {
            environment: BTreeMap::from([
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("ANYREACH_TOKEN".to_owned(), "ak_1.secret-value".to_owned()),
                ("CHECK_URL".to_owned(), "https://check.example".to_owned()),
            ]),
            dir: std::env::temp_dir(),
        };
        let verify = Verify {
            command: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
            env: env.iter().map(|name| (*name).to_owned()).collect(),
        };
        let input = VerifyInput {
            key: "a".to_owned(),
            agent_id: "id".to_owned(),
            version: 4,
            base_version: Some(3),
            config: serde_json::json!({"x": 1}),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(verifier.run(&verify, &input))
    }

    #[test]
    fn the_command_sees_the_draft_and_no_token() {
        let script = r#"test "$REACHFORM_VERSION/$REACHFORM_BASE_VERSION/$REACHFORM_KEY" = 4/3/a &&
            test -z "$ANYREACH_TOKEN" && test -z "$CHECK_URL" && test "$(cat "$REACHFORM_CONFIG_FILE")" = '{"x":1}'"#;
        assert_eq!(run(script, &[]), Ok(()));
        assert_eq!(run("test -n \"$CHECK_URL\"", &["CHECK_URL"]), Ok(()));
    }

    #[test]
    fn a_failing_command_says_why_without_what_it_was_handed() {
        let error = run("echo \"no: $ANYREACH_TOKEN\" >&2; exit 3", &["ANYREACH_TOKEN"]).unwrap_err();
        assert!(error.contains("no: (secret)"), "{error}");
        assert!(run("exit 1", &[]).is_err());
    }
}
