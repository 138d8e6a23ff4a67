//! Outputs of a step, written so that no value can end its own entry or begin another one.

use std::io;
use std::path::Path;

use crate::cli::output;
use crate::disk;
use crate::http::Entropy;
use crate::model::digest::hex;

/// Why an output was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The name is none that the runner takes.
    #[error("`{0}` cannot be the name of an output: a name has letters, digits, `-` and `_`, and begins with no digit")]
    Name(String),
    /// The file could not be appended to.
    #[error("the outputs could not be appended to {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Appends outputs to the file that `GITHUB_OUTPUT` (or `GITHUB_ENV`, `GITHUB_STATE`) names, all in one write or none.
pub fn append(path: &Path, entries: &[(&str, &str)], entropy: &dyn Entropy) -> Result<(), OutputError> {
    let mut text = String::new();
    for (name, value) in entries {
        text.push_str(&entry(name, value, entropy)?);
    }
    let failed = |source| OutputError::File { path: path.display().to_string(), source };
    disk::append(path, output::without_secrets(&text).as_bytes()).map_err(failed)
}

/// One entry. Its delimiter is 128 random bits that do not stand in the value, so that no value, however hostile, can
/// be made to end it: a fixed delimiter is an injection for whoever knows it.
pub fn entry(name: &str, value: &str, entropy: &dyn Entropy) -> Result<String, OutputError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '-') || !name.chars().all(is_word) {
        return Err(OutputError::Name(name.to_owned()));
    }
    let delimiter = loop {
        let delimiter = format!("reachform_{}", hex(&entropy.bytes()));
        if !value.contains(&delimiter) {
            break delimiter;
        }
    };
    Ok(format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::http::SeededEntropy;

    /// Reads entries as the runner does: a name with a delimiter, then lines up to one that is the delimiter.
    fn read(text: &str) -> Vec<(String, String)> {
        let mut lines = text.split('\n');
        let mut out = Vec::new();
        while let Some(head) = lines.next().filter(|line| !line.is_empty()) {
            let (name, delimiter) = head.split_once("<<").unwrap();
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            out.push((name.to_owned(), value.join("\n")));
        }
        out
    }

    #[test]
    fn every_value_comes_back_as_it_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let entropy = SeededEntropy::new(7);
        let hostile = "a\nEOF\nexit-code=0\nname<<x\r\nreachform_\n\n::set-output name=a::b";
        append(&path, &[("plan-hash", "sha256:1"), ("summary", hostile)], &entropy).unwrap();
        append(&path, &[("_empty", "")], &entropy).unwrap();
        let found = read(&io::read_to_string(std::fs::File::open(&path).unwrap()).unwrap());
        let wanted = [("plan-hash", "sha256:1"), ("summary", hostile), ("_empty", "")];
        assert_eq!(found, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// Gives the bytes that it holds, in turn.
    struct Given(Mutex<Vec<[u8; 16]>>);

    impl Entropy for Given {
        fn bytes(&self) -> [u8; 16] {
            self.0.lock().unwrap().pop().unwrap()
        }
    }

    #[test]
    fn a_delimiter_that_the_value_holds_is_drawn_again() {
        let entropy = Given(Mutex::new(vec![[2; 16], [1; 16]]));
        let value = format!("reachform_{}", hex(&[1; 16]));
        let text = entry("a", &value, &entropy).unwrap();
        assert!(text.starts_with(&format!("a<<reachform_{}\n", hex(&[2; 16]))), "{text}");
    }

    #[test]
    fn a_name_that_could_begin_another_entry_is_refused() {
        for name in ["", "a b", "a=b", "a\nb", "1a", "-a", "a<<b", "ä"] {
            assert!(matches!(entry(name, "x", &SeededEntropy::new(1)), Err(OutputError::Name(_))), "{name:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        append(&path, &[("good", "x"), ("not good", "y")], &SeededEntropy::new(1)).unwrap_err();
        assert!(!path.exists(), "nothing is written of a set that is not good as a whole");
    }
}
