//! One integration binary: case folders, properties, the embedded service, and the program itself over a socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests read files and fail loudly"
)]

mod action;
mod agreement;
mod alarms;
mod api;
mod apply;
mod architecture;
mod cli;
mod converge;
mod dead_runs;
mod differences;
mod docs;
mod drift;
mod examples;
mod forge;
mod hostile;
mod importing;
mod last_looks;
mod left_out;
mod limits;
mod looks;
mod manifest;
mod matrix;
mod moved_secrets;
mod numbers;
mod organizations;
mod parallel;
mod plan;
mod planned_secrets;
mod readings;
mod rechecked;
mod records;
mod render;
mod rollback;
mod sandbox;
mod saved_plans;
mod scene;
mod schema;
mod secrets;
mod simulation;
mod steps;
mod trips;
mod twins;
mod undeclared;
mod verify;
mod workflows;
mod world;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
