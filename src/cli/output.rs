//! The one place that writes to stdout and stderr: the result on the one, progress and problems on the other.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use anstream::ColorChoice as Choice;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::diagnostics::{Diagnostic, SourceMap};
use crate::disk;
use crate::http::{Clock as _, Redactor, SystemClock};
use crate::render::diagnostics::TextOptions as ProblemOptions;
use crate::render::style::{Detail, Glyphs, Styles};
use crate::render::text::TextOptions;
use crate::render::view::Place;
use crate::render::workflow_commands;

use super::args::{ColorChoice, DiffDetail};
use super::report::CommandError;
use super::settings::Settings;

/// Tells every stream when to colour. Called once, before anything is written.
pub fn set_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => Choice::Auto,
        ColorChoice::Always => Choice::Always,
        ColorChoice::Never => Choice::Never,
    };
    choice.write_global();
}

fn stdout_is_colored() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != Choice::Never
}

/// Whether stderr shows colour.
pub fn stderr_is_colored() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != Choice::Never
}

/// How plans and reports are laid out on stdout.
pub fn text_options(settings: &Settings, detail: DiffDetail) -> TextOptions {
    TextOptions {
        width: settings.width,
        styles: if stdout_is_colored() { Styles::colored() } else { Styles::plain() },
        glyphs: if settings.unicode { Glyphs::UNICODE } else { Glyphs::ASCII },
        detail: match detail {
            DiffDetail::Summary => Detail::Summary,
            DiffDetail::Words => Detail::Words,
            DiffDetail::Full => Detail::Full,
        },
        place: Place::Shown,
    }
}

/// How progress is laid out on stderr.
pub fn progress_options(settings: &Settings) -> TextOptions {
    let styles = if stderr_is_colored() { Styles::colored() } else { Styles::plain() };
    TextOptions { styles, ..text_options(settings, DiffDetail::Words) }
}

/// Whether what is printed is read for commands by a runner.
static GUARDED: AtomicBool = AtomicBool::new(false);

/// Tells whether a runner reads what is printed, so that user text must not be a command to it. Called once, before
/// anything is written.
pub fn guard(on: bool) {
    GUARDED.store(on, Ordering::Relaxed);
}

/// The secrets of this run, which no output may hold, whatever brought them there. What is shown of the service and of
/// manifests has been masked as values before; this is the net below that.
static SECRETS: RwLock<Option<Redactor>> = RwLock::new(None);

/// Tells which secrets no output may hold. Called again when a credential has been read from a file.
pub fn hide(secrets: &[SecretString]) {
    *SECRETS.write().unwrap_or_else(PoisonError::into_inner) = Some(Redactor::sure(secrets));
}

/// The text as any output may hold it.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let known = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    known.as_ref().and_then(|known| known.hide(text)).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text as it may be printed. Colour is taken off first where none is shown: behind it a command could begin.
fn printable(text: &str, colored: bool) -> Cow<'_, str> {
    if !GUARDED.load(Ordering::Relaxed) {
        return Cow::Borrowed(text);
    }
    if colored || !text.contains('\u{1b}') {
        return workflow_commands::inert(text);
    }
    let plain = anstream::adapter::strip_str(text).to_string();
    Cow::Owned(workflow_commands::inert(&plain).into_owned())
}

/// Why a result could not be written to stdout, once it could not.
static UNWRITTEN: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// Why what this run found is not on stdout, if it is not. A reader that has gone away, as `head` does, is not a reason.
pub fn unwritten() -> Option<CommandError> {
    let error = UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(CommandError::io("the result could not be written to stdout", &error))
}

/// When anything was written last, and whether a line of status stands on the terminal that the next text replaces.
static LAST: Mutex<(Option<Timestamp>, bool)> = Mutex::new((None, false));

/// How long nothing has been written.
pub fn silent_for() -> Duration {
    let now = SystemClock.now();
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).0.get_or_insert(now).to_owned();
    Duration::try_from(now.duration_since(last)).unwrap_or_default()
}

/// Notes that something is written now, and takes the line of status away.
fn speak() {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let shows_status = std::mem::replace(&mut *last, (Some(SystemClock.now()), false)).1;
    if shows_status && let Err(error) = anstream::stderr().lock().write_all(b"\r\x1b[2K") {
        tracing::debug!(%error, "stderr is closed");
    }
}

/// Shows a line on the terminal until anything else is written.
pub fn status(text: &str, settings: &Settings) {
    let text = crate::render::visible::one_line(&without_secrets(text));
    let fitting: String = text.chars().take(settings.width.saturating_sub(1)).collect();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stderr = anstream::stderr().lock();
    if let Err(error) = write!(stderr, "\r\x1b[2K{fitting}").and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "stderr is closed");
    }
    last.1 = true;
}

/// Writes a result.
pub fn result(text: &str) {
    to_stdout(&printable(text, stdout_is_colored()));
}

/// Writes a result that is JSON and stays it.
pub fn document(text: &str) {
    let guarded = GUARDED.load(Ordering::Relaxed);
    to_stdout(&if guarded { workflow_commands::inert_json(text) } else { Cow::Borrowed(text) });
}

fn to_stdout(text: &str) {
    let text = &*without_secrets(text);
    speak();
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') || text.is_empty() { Ok(()) } else { stdout.write_all(b"\n") });
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => tracing::debug!(%error, "stdout is closed"),
        Err(error) => *UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
    }
}

/// Writes to stderr.
pub fn aside(text: &str) {
    to_stderr(&printable(text, stderr_is_colored()));
}

fn to_stderr(text: &str) {
    let text = &*without_secrets(text);
    speak();
    let mut stderr = anstream::stderr().lock();
    let line_end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    if let Err(error) = write!(stderr, "{text}{line_end}") {
        tracing::debug!(%error, "stderr is closed");
    }
}

/// Writes commands that a runner shall carry out. They go to stderr, which it reads as well: stdout is the result.
pub fn workflow_commands(commands: &str) {
    to_stderr(commands);
}

/// What a wrong command line, or a question about it, is answered with. It may repeat what was typed.
pub fn usage(error: &clap::Error) {
    let text = error.render();
    if error.use_stderr() {
        let colored = stderr_is_colored();
        aside(&if colored { text.ansi().to_string() } else { text.to_string() });
    } else {
        let colored = stdout_is_colored();
        result(&if colored { text.ansi().to_string() } else { text.to_string() });
    }
}

/// Where log lines go: to stderr, each as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = without_secrets(&text);
        speak();
        // Not `aside`: a failure to log must not be logged.
        anstream::stderr().lock().write_all(printable(&text, stderr_is_colored()).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        anstream::stderr().lock().flush()
    }
}

/// Writes problems to stderr, each with its excerpt, and a line that counts them.
pub fn problems(diagnostics: &[Diagnostic], sources: &SourceMap, settings: &Settings) {
    if diagnostics.is_empty() {
        return;
    }
    let is_terminal = std::io::stderr().is_terminal();
    let options =
        ProblemOptions { color: stderr_is_colored(), unicode: settings.unicode && is_terminal, width: settings.width };
    aside(&crate::render::diagnostics::text(diagnostics, sources, options));
}

/// Fails if a file that a flag names has no folder, is one, or lies behind a link out of the current folder, which a
/// pull request may have brought.
pub fn check_writable(path: &Path) -> Result<(), CommandError> {
    let unwritable = || CommandError::config(format!("{} could not be written", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(unwritable().cause("it is a folder").hint("name a file"));
    }
    if !folder.is_dir() {
        let cause = format!("the folder {} does not exist", folder.display());
        return Err(unwritable().cause(cause).hint(format!("make it: mkdir -p {}", folder.display())));
    }
    if let Some(link) = disk::stray_link(path) {
        let cause = format!("{} is a symbolic link that leads out of the current folder", link.display());
        return Err(unwritable().cause(cause).hint("name the folder that it leads to if that is what you mean"));
    }
    Ok(())
}

/// Writes a file that a flag names.
pub fn file(path: &Path, text: &str) -> Result<(), CommandError> {
    check_writable(path)?;
    let text = &*without_secrets(text);
    disk::in_place(path, text.as_bytes())
        .unwrap_or_else(|| disk::replace(path, text.as_bytes()))
        .map_err(|error| CommandError::io(format!("{} could not be written", path.display()), &error))
}

/// Reads a text that a person gave, bounded.
pub fn read(path: &Path, limit: usize) -> Result<String, CommandError> {
    disk::read_text(path, limit)
        .map_err(|error| CommandError::chain(format!("{} could not be read", path.display()), &error))
}

/// The result as JSON where that was asked for: on stdout, in a file, or both.
pub fn json(settings: &Settings, document: &str) -> Result<(), CommandError> {
    // Whatever a file or the service put into it: the same document, safe to print.
    let document = &crate::render::visible::json(document);
    if let Some(path) = &settings.json_out {
        file(path, document)?;
    }
    if settings.json {
        self::document(document);
    }
    Ok(())
}

/// Whether JSON was asked for, and the file that it was to be written to, of a command line that could not be read.
pub fn json_of_unread(arguments: impl Iterator<Item = std::ffi::OsString>, document: &str) {
    let mut is_asked = false;
    let mut to = None;
    let mut arguments = arguments.skip(1).map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => break,
            "--json" => is_asked = true,
            "--json-out" => to = arguments.next(),
            other => to = other.strip_prefix("--json-out=").map(str::to_owned).or(to),
        }
    }
    if let Some(Err(error)) = to.map(|path| file(Path::new(&path), document)) {
        aside(&error.text());
    }
    if is_asked {
        self::document(document);
    }
}

/// The document of a failure, on stdout and in a file as asked for. The file may be what failed, and was told then.
pub fn json_of_failure(settings: &Settings, document: &str) {
    let document = &crate::render::visible::json(document);
    if let Some(Err(error)) = settings.json_out.as_deref().map(|path| file(path, document)) {
        tracing::debug!(causes = ?error.causes, "the failure could not be kept");
    }
    if settings.json {
        self::document(document);
    }
}

/// Asks on stderr, leaving the cursor behind the question.
pub fn prompt(question: &str) {
    speak();
    let mut stderr = anstream::stderr().lock();
    if let Err(error) = write!(stderr, "{}", printable(question, stderr_is_colored())).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "stderr is closed");
    }
}
