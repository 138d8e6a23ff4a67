//! Limits that a pull request raises and needs, as far as git knows its base.

use serde_json::{Value, json};

use super::diff::{git, head};
use super::program::Project;
use super::service::Server;

const RAISED: &str = "`limits.delete` is raised from 0 to 1 in this change, and this plan needs it";

/// A pull request that takes an agent out and lets the limit allow that: `main` has neither.
fn pull_request() -> (Server, Project) {
    let server = Server::new();
    let project = Project::at(&server);
    project.write("agents/other.yaml", "key: other\nname: Another\n");
    project.run(&["apply", "--auto-approve"]).ends(0);
    let dir = project.dir();
    git(&dir, &["init", "-q", "-b", "main"]);
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "first"]);
    git(&dir, &["checkout", "-q", "-b", "fix"]);
    std::fs::remove_file(project.path("agents/other.yaml")).unwrap();
    let file = project.read("reachform.yaml");
    assert!(!file.contains("limits"), "{file}");
    project.write("reachform.yaml", format!("{file}\nlimits: {{delete: 1}}\n"));
    git(&dir, &["commit", "-q", "-a", "-m", "second"]);
    (server, project.with("GITHUB_BASE_REF", "main"))
}

fn on_origin(project: &Project, commit: &str) {
    git(&project.dir(), &["update-ref", "refs/remotes/origin/main", commit]);
}

fn raised(project: &Project, flags: &[&str]) -> Value {
    let ran = project.run(&[&["plan", "--prune", "--json"], flags].concat()).ends(0);
    ran.json().get("raised_limits").cloned().unwrap_or_default()
}

#[test]
fn a_limit_that_is_raised_by_the_pull_request_that_needs_it_is_shown_first_everywhere() {
    let (_server, project) = pull_request();
    on_origin(&project, "main");
    let ran = project.run(&["plan", "--prune", "--markdown", "plan.md", "--html", "plan.html"]).ends(0);
    let first = ran.stdout.find("`limits.delete` is raised from 0 to 1").unwrap();
    assert!(first < ran.stdout.find("agent.other").unwrap(), "{}", ran.stdout);
    assert!(project.read("plan.md").contains(&format!("> [!WARNING]\n> <b>Look at this first</b>\n>\n> - {RAISED}")));
    let page = project.read("plan.html").replace("<code>", "`").replace("</code>", "`");
    assert!(page.contains(RAISED), "{page}");
    let told = json!([{"limit": "delete", "from": 0, "to": 1, "message": RAISED}]);
    assert_eq!(raised(&project, &[]), told);
    // A flag lifts the limit for this run, whatever the file says.
    assert_eq!(raised(&project, &["--max-delete", "1"]), Value::Null);
    // Nothing is deleted, so that nothing is needed.
    let ran = project.run(&["plan", "--json"]).ends(0);
    assert_eq!(ran.json().get("raised_limits"), None);
}

#[test]
fn a_base_that_is_not_here_is_said_and_outside_a_pull_request_nothing_is() {
    let (_server, project) = pull_request();
    let told = raised(&project, &[]);
    assert_eq!((&told[0]["from"], &told[0]["to"]), (&Value::Null, &json!(1)), "{told}");
    assert!(told[0]["message"].as_str().unwrap().contains("could not be checked"), "{told}");
    assert_eq!(raised(&project, &["--max-delete", "1"]), Value::Null);
    let project = project.with("GITHUB_BASE_REF", "");
    on_origin(&project, "main");
    assert_eq!(raised(&project, &[]), Value::Null);
    let project = project.with("GITHUB_BASE_REF", "main");
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    assert_eq!(raised(&project, &[]), Value::Null);
}

#[test]
fn the_base_is_the_first_parent_of_the_merge_that_the_forge_made_and_of_no_other() {
    let (_server, project) = pull_request();
    let dir = project.dir();
    // The author ends the branch with a merge whose first parent holds the raised limit already.
    on_origin(&project, "main");
    git(&dir, &["checkout", "-q", "-b", "side", "main"]);
    git(&dir, &["commit", "-q", "--allow-empty", "-m", "side"]);
    git(&dir, &["checkout", "-q", "fix"]);
    git(&dir, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    let project = project.with("GITHUB_SHA", &"c".repeat(40));
    assert_eq!(raised(&project, &[])[0]["from"], json!(0));
    // The forge merges it into `main`, which is no branch of this checkout.
    git(&dir, &["checkout", "-q", "--detach", "main"]);
    git(&dir, &["merge", "-q", "--no-ff", "-m", "merge", "fix"]);
    git(&dir, &["update-ref", "-d", "refs/remotes/origin/main"]);
    let merge = head(&dir);
    let project = project.with("GITHUB_SHA", &merge);
    assert_eq!(raised(&project, &[])[0]["from"], json!(0));
    // The base allowed it before.
    let project = project.with("GITHUB_SHA", "").with("CI_MERGE_REQUEST_DIFF_BASE_SHA", &merge);
    assert_eq!(raised(&project, &[]), Value::Null);
}

/// A pull request cannot say of a name that it holds no secret, and so see what the dashboard put under it.
#[test]
fn a_name_that_the_pull_request_itself_lists_as_no_secret_stays_hidden() {
    const VALUE: &str = "long-lived-4711-value";
    let server = Server::new();
    let project = Project::at(&server);
    let text = "key: other\nname: Another\nmetadata: {session_notes: VALUE}\n";
    project.write("agents/other.yaml", text.replace("VALUE", VALUE));
    project.run(&["apply", "--auto-approve"]).ends(0);
    let dir = project.dir();
    git(&dir, &["init", "-q", "-b", "main"]);
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "first"]);
    let listed = format!("{}\nnot_secret: [session_notes]\n", project.read("reachform.yaml"));
    project.write("reachform.yaml", listed);
    project.write("agents/other.yaml", text.replace("VALUE", "new"));
    git(&dir, &["checkout", "-q", "-b", "fix"]);
    git(&dir, &["commit", "-q", "-a", "-m", "second"]);
    let shows = |project: &Project| project.run(&["plan"]).ends(0).stdout.contains(VALUE);
    let project = project.with("GITHUB_BASE_REF", "main");
    assert!(!shows(&project), "the base cannot be found");
    on_origin(&project, "main");
    assert!(!shows(&project), "the base does not list it");
    on_origin(&project, "fix");
    assert!(shows(&project), "the base lists it too");
    let project = project.with("GITHUB_BASE_REF", "");
    assert!(shows(&project), "nobody asks to merge it");
}
