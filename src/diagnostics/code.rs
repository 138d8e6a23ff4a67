//! What is known of a kind of problem before it occurs.

/// A stable code with what it means and what to do about it: what `explain`, the manual and SARIF say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, in kebab case.
    pub code: &'static str,
    /// What is wrong, as a sentence.
    pub meaning: &'static str,
    /// What to do, in one sentence or a few.
    pub fix: &'static str,
}
