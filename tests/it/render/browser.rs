//! The page in a real browser, where one is installed: no policy is broken, nothing is wider than a phone, the keyboard
//! reaches everything in the order in which it is read, the switch works without a script, and paper opens what is folded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reachform::diagnostics::SourceMap;
use reachform::render::html::{PageContext, plan_page};

use super::cases::everyday;
use super::html::infested;

const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Asks the page inside the frame; its policy forbids scripts of its own, so the page around it asks.
const QUESTIONS: &str = r#"
const frame = document.querySelector('iframe'), page = frame.contentDocument, view = frame.contentWindow;
const shown = element => element.checkVisibility({contentVisibilityAuto: true}) && element.getClientRects().length > 0;
const wide = [];
for (const element of page.body.querySelectorAll('*')) {
  const box = element.getBoundingClientRect();
  if (shown(element) && !element.closest('.spoken') && box.width > 1 && box.right > page.documentElement.clientWidth + 0.5) {
    wide.push(element.tagName + '.' + element.className);
  }
}
const stops = [...page.querySelectorAll('a[href], summary, input')].filter(shown);
const tops = [], unseen = [];
for (const stop of stops) {
  stop.focus({focusVisible: true});
  const style = view.getComputedStyle(stop), box = stop.getBoundingClientRect();
  if (page.activeElement !== stop || style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) {
    unseen.push(stop.outerHTML.slice(0, 80));
  }
  if (!stop.matches('.skip')) tops.push(Math.round(box.top + view.scrollY));
}
const display = name => view.getComputedStyle(page.querySelector(name)).display;
const views = [display('.words'), display('.sides')];
page.querySelector('#view-sides').click();
views.push(display('.words'), display('.sides'));
const answers = {
  styled: view.getComputedStyle(page.body).maxWidth, width: page.documentElement.clientWidth,
  scroll: page.documentElement.scrollWidth, wide, unseen, first: stops[0].className, stops: stops.length,
  ordered: tops.every((top, index) => index === 0 || top >= tops[index - 1] - 24),
  tabindex: page.querySelectorAll('[tabindex]:not([tabindex="-1"])').length, views,
  headings: [...page.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1])),
  scripts: page.scripts.length, requests: view.performance.getEntriesByType('resource').map(entry => entry.name),
};
document.body.textContent = 'ANSWERS' + JSON.stringify(answers) + 'END';
"#;

fn browser() -> Option<&'static str> {
    let found = BROWSERS.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        println!("skipped: no Chromium is installed ({})", BROWSERS.join(", "));
    }
    found
}

/// Runs the browser once; what it wrote to stdout and to stderr.
fn run(browser: &str, folder: &Path, arguments: &[&str], page: &Path) -> (String, String) {
    let output = Command::new("timeout")
        .args(["120", browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr", "--virtual-time-budget=3000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    (stdout.into_owned(), stderr.into_owned())
}

/// What the console said that a page must not make it say.
fn complaints(stderr: &str) -> Vec<&str> {
    let is_one = |line: &&str| {
        ["Content Security Policy", "Refused to", "violates", "Uncaught"].iter().any(|word| line.contains(word))
    };
    stderr.lines().filter(|line| line.contains("CONSOLE")).filter(is_one).collect()
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn pages() -> Vec<(&'static str, String)> {
    let context = PageContext::default();
    let long = "<script>document.title='x'</script> supercalifragilistic_".repeat(3);
    let (hostile, sources) = infested(&format!("{long}{}", "unbroken".repeat(40)));
    vec![
        ("everyday", plan_page(&everyday(), &SourceMap::default(), &context)),
        ("hostile", plan_page(&hostile, &sources, &context)),
    ]
}

#[test]
fn a_browser_finds_nothing_wrong_with_a_page_at_any_width() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in pages() {
        for width in [360, 1280] {
            let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
            let around = format!(
                "<!DOCTYPE html><meta charset=utf-8><body><iframe width={width} height=900 frameborder=0 srcdoc=\"{quoted}\">\
                 </iframe><script>addEventListener('load', () => {{ {QUESTIONS} }})</script></body>"
            );
            let path = written(folder.path(), "around.html", &around);
            let (dom, stderr) = run(browser, folder.path(), &["--window-size=1400,1000", "--dump-dom"], &path);
            assert_eq!(complaints(&stderr), Vec::<&str>::new(), "{name} at {width}");
            let answers = dom.split_once("ANSWERS").and_then(|(_, rest)| rest.split_once("END"));
            let (answers, _) = answers.unwrap_or_else(|| panic!("{name} at {width}: no answer\n{stderr}"));
            let answers = answers.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let found: serde_json::Value = serde_json::from_str(&answers).unwrap();
            assert_eq!(found["styled"], "1024px", "the stylesheet is let through by its hash");
            assert!(found["scroll"].as_u64() <= found["width"].as_u64(), "{name} at {width}: {found:#}");
            for empty in ["wide", "unseen", "requests"] {
                assert_eq!(found[empty], serde_json::json!([]), "{empty} in {name} at {width}: {found:#}");
            }
            assert_eq!((&found["tabindex"], &found["scripts"]), (&0.into(), &0.into()));
            assert_eq!((&found["first"], &found["ordered"]), (&"skip".into(), &true.into()), "{found:#}");
            assert!(found["stops"].as_u64().unwrap() >= 6, "{found:#}");
            assert_eq!(found["views"], serde_json::json!(["block", "none", "none", "grid"]));
            let levels: Vec<u64> =
                found["headings"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect();
            assert_eq!(levels[0], 1);
            assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no heading skips a level: {levels:?}");
        }
    }
}

#[test]
fn the_checks_of_the_browser_do_find_what_they_look_for() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_, page) = pages().swap_remove(0);
    let broken = page.replace("</main>", "<script>document.title = 'run'</script></main>");
    let path = written(folder.path(), "broken.html", &broken);
    let (dom, stderr) = run(browser, folder.path(), &["--dump-dom"], &path);
    assert!(!complaints(&stderr).is_empty(), "a refused script is reported\n{stderr}");
    assert!(!dom.contains("<title>run"), "and is not run");
}

#[test]
fn paper_shows_what_is_folded_on_the_screen() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_, page) = pages().swap_remove(0);
    let size = |name: &str, text: &str| {
        let path = written(folder.path(), &format!("{name}.html"), text);
        let pdf = folder.path().join(format!("{name}.pdf"));
        run(browser, folder.path(), &[&format!("--print-to-pdf={}", pdf.display()), "--no-pdf-header-footer"], &path);
        let bytes = std::fs::read(&pdf).unwrap();
        assert!(bytes.starts_with(b"%PDF-"));
        bytes.windows(12).filter(|window| window.starts_with(b"/Type /Page") && window[11] != b's').count()
    };
    let mut without = page.clone();
    while let Some((before, rest)) = without.split_once("<details class=\"whole\">") {
        without = format!("{before}{}", rest.split_once("</details>").unwrap().1);
    }
    assert_ne!(without, page);
    let (folded, gone) = (size("folded", &page), size("gone", &without));
    assert!(folded > gone, "a folded prompt takes pages of its own: {folded} against {gone}");
}
