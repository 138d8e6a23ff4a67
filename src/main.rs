//! The binary: it hands the arguments to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    reachform::cli::main()
}
