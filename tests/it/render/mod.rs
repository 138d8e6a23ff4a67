//! Tests of `render`: case folders under `fixtures/render`, re-blessed with `REACHFORM_BLESS=1`, and properties.

mod browser;
mod build;
mod cases;
mod documents;
mod findings;
mod html;
pub mod infested;
pub(crate) mod limits;
pub mod markdown;
pub mod properties;
mod whole;

use std::path::PathBuf;

use reachform::diagnostics::SourceMap;
use reachform::plan::Plan;
use reachform::render::html::{PageContext, plan_page};
use reachform::render::json::{plan_document, read_plan};
use reachform::render::markdown::{CommentContext, plan_comment};
use reachform::render::style::{Detail, Glyphs};
use reachform::render::text::{TextOptions, plan_text};

fn folder(case: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/render").join(case)
}

/// Compares with the file, or writes it.
fn expect(case: &str, file: &str, found: &str) {
    let path = folder(case).join(file);
    if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(folder(case)).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; bless with REACHFORM_BLESS=1", path.display()));
    assert!(wanted == found, "{} differs; found:\n{found}", path.display());
}

fn context() -> CommentContext {
    CommentContext {
        marker_key: Some("5d0c1f9a77e2b613".to_owned()),
        commit: Some("4f2c9ab07d1be5a2c64f0e55b1ad62d8a03f7c19".to_owned()),
        run_id: Some("1234567".to_owned()),
        run_url: Some("https://github.com/acme/agents/actions/runs/1234567".to_owned()),
        full_plan_url: Some("https://github.com/acme/agents/actions/runs/1234567#summary".to_owned()),
        repository_url: Some("https://github.com/acme/agents".to_owned()),
        folder: Some("voice".to_owned()),
        ..CommentContext::default()
    }
}

/// Every form of one plan.
fn check(case: &str, plan: &Plan, sources: &SourceMap) {
    let text = plan_text(plan, &TextOptions { width: 100, ..TextOptions::default() });
    expect(case, "plan.txt", &text);
    let plain = plan_text(plan, &TextOptions { width: 80, glyphs: Glyphs::ASCII, ..TextOptions::default() });
    expect(case, "plan-80-plain.txt", &plain);
    expect(case, "plan.md", &plan_comment(plan, sources, &context()).text);
    expect(case, "plan.json", &plan_document(plan, sources));
    let document: serde_json::Value = serde_json::from_str(&plan_document(plan, sources)).unwrap();
    let again = read_plan(&document).unwrap();
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        let options = TextOptions { detail, ..TextOptions::default() };
        assert_eq!(plan_text(&again, &options), plan_text(plan, &options), "{case}: a saved plan says the same");
    }
    let page = html::without_style(&plan_page(plan, sources, &PageContext::default()));
    expect(case, "plan.html", &html::in_lines(&page));
    html::check(&page);
}
