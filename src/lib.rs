//! `reachform` keeps hosted voice agents in Git: it reads agent manifests, plans the difference to what is live on the
//! service, and applies that plan.
//!
//! # The map
//!
//! ```text
//! files ─ manifest ─▶ Desired            service ─ http ─ api ─ live ─▶ LiveState
//!            │                                                │
//!          schema (faults, defaults, branches, secrets)       │
//!            └──────────────┬─────────────────────────────────┘
//!                          plan ─▶ Plan ─ approve ─▶ ApprovedPlan ─ recheck ─ apply ─▶ Report
//!                           └────────────────── render ──────────────────────────┘
//! ```
//!
//! | module | side | what it is |
//! | --- | --- | --- |
//! | [`model`] | pure | the vocabulary: keys, paths, values, secrets, digests, the stamp, desired and live state |
//! | [`diagnostics`] | pure | problems as data |
//! | [`manifest`] | pure, but `load` | YAML with places, tags, environments; `resolve` is the whole way |
//! | [`schema`] | pure, but `fetch` | the service's JSON Schema: compiled once, asked for faults, defaults, branches, secrets |
//! | [`plan`] | pure | one three-way comparison (`threeway`), slots, identity, limits, hashes, approval, alarms; `build` and `drift` select from it |
//! | [`render`] | pure | one account of what is shown (`view`), and writers that only format it: text, Markdown, a page; JSON, annotations, SARIF; the prose diff |
//! | [`disk`] | shell | the only place that opens files: regular ones, bounded, and never through a stranger's link |
//! | [`http`] | shell | transport, limiter, retries; clock and randomness as parameters |
//! | [`api`] | shell | the service on the wire, [`api::Reader`] and [`api::Writer`] apart |
//! | [`live`] | shell | reads everything and says how complete it was |
//! | [`apply`] | shell | the plan's steps, the fence, what a lost reply left behind, the closing reading |
//! | [`sandbox`] | shell | the service, embedded, with every unknown a switch |
//! | [`session`] | shell | one run, without terminal or environment: what a command, a test and a simulation share |
//! | [`forge`] | shell, its deciding pure | GitHub and GitLab: the sticky comment, the issue, the check run; gets finished Markdown |
//! | [`cli`] | shell | a file for each command |
//!
//! A newcomer reads `model::desired`, `model::stamp`, `plan::threeway`, `plan::build`, `apply::worker` and `render::view`,
//! in this order.
//!
//! # Invariants
//!
//! - **Reading cannot write.** A plan is made with a [`api::Reader`], which has no writing method and whose transport
//!   lets nothing through but GET and the one POST that compares. `GET …/versions/latest` is never asked, for it may
//!   make a draft.
//! - **A secret cannot be shown.** [`model::Declared`] holds secrets beside the tree and their names in it; values come
//!   out through `reveal` alone, and only into what is sent. What is shown is masked on the tree, before rendering, and
//!   [`plan::mask`] alone decides it: by the declaration, the schema, the hashes of what was sent ([`model::Seal`]), the
//!   name and the look. [`plan::conceal`] takes the values that this run knows out of all the rest.
//! - **Pure code** knows no clock, no environment, no file, no network, no `async` and no hash order. The same inputs
//!   give the same bytes. A test in `tests/it/architecture.rs` holds the arrows and the words.
//! - **Apply decides nothing** that a plan can decide, and an [`plan::ApprovedPlan`] is made by [`plan::approve()`] alone.
//! - **A slot that is filled before and after a plan is never empty in between.** Moved numbers are assigned, never
//!   unassigned first; emptying comes last, and deleting after it.
//! - **One value, three outputs.** Text, JSON and exit code come from one [`plan::Summary`] or one [`plan::Report`].
//! - **A partial reading creates and deletes nothing.**
//! - **Nothing from outside is read without end.** A reading of the service, the manifests of a project and the patterns
//!   of a schema each have one budget, counted in one place (`api::allowance`, `manifest::session`, `schema::effort`).
//!   What it cuts off is an error that says so, never a list that is whole or a value that is clean.
//!
//! # Deliberately absent
//!
//! No state file: what must be remembered is a stamp on the agent itself. No typed model of the config: it is opaque JSON,
//! known only by the schema that the service publishes. No string templates: prompts are full of braces, so values are
//! brought in by YAML tags. No cache of configs: a cache in the project would let a pull request choose what is live.

pub mod api;
pub mod apply;
pub mod cli;
pub mod diagnostics;
pub mod disk;
pub mod forge;
pub mod http;
pub mod live;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod sandbox;
pub mod schema;
pub mod session;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
