//! SHELL. One file for each command: load, compute, act, render, and an exit status.

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
