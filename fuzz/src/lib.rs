//! The targets of `tests/it/hostile/targets`, by their path: a fuzzer and the stable tests ask the same questions.
#![allow(dead_code, reason = "the shared files also serve tests that are not here")]

mod render;
#[path = "../../tests/it/hostile/targets/mod.rs"]
pub mod targets;
