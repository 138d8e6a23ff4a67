//! What makes a run fail, or goes wrong in it, stands beside the run as an annotation, once each.

use reachform::http::Method;

use super::super::cli::program::MANIFEST;
use super::super::forge::standin::{Fault, refusal};
use super::runner::{Done, Repository};

/// The annotations of a kind.
fn annotations<'d>(done: &'d Done, kind: &str) -> Vec<&'d str> {
    let start = format!("::{kind} title=reachform::");
    done.ran.stderr.lines().filter_map(|line| line.strip_prefix(&start)).collect()
}

#[track_caller]
fn says_once(done: &Done, kind: &str, words: &str) {
    let found = annotations(done, kind);
    let with = found.iter().filter(|text| text.contains(words)).count();
    assert_eq!((with, found.len()), (1, 1), "`{words}`: {done:#?}");
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.at_pull_request(20, 'a');
    repository
}

#[test]
fn a_refusal_is_an_error() {
    let mut repository = repository();
    repository.runs(&[("command", "plan")]).ends(0);
    repository.project.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 5");
    repository.at_merge(30);
    says_once(&repository.runs(&[("command", "apply")]).ends(3), "error", "not the plan that was approved");
    let quiet = repository.runs(&[("command", "apply"), ("annotations", "false")]).ends(3);
    assert_eq!(annotations(&quiet, "error"), Vec::<&str>::new());
}

#[test]
fn a_missing_credential_and_wrong_inputs_are_errors() {
    let repository = repository();
    let without = repository.runs_without_credential(&[("command", "plan"), ("comment", "off")]).ends(1);
    says_once(&without, "error", "ANYREACH_TOKEN");
    says_once(&repository.runs(&[("command", "plna")]).ends(64), "error", "`command` is `plna`");
    says_once(&repository.runs(&[("command", "plan"), ("args", "--bogus")]).ends(64), "error", "--bogus");
}

#[test]
fn an_apply_that_ends_halfway_is_an_error_that_says_how_to_go_on() {
    let mut repository = repository();
    repository.runs(&[("command", "plan")]).ends(0);
    repository.at_merge(30);
    repository.service.fault("500-before:POST */publish#1+");
    says_once(&repository.runs(&[("command", "apply")]).ends(5), "error", "run the job again");
}

#[test]
fn mistakes_in_manifests_are_annotated_at_their_lines_and_not_again_in_sum() {
    let repository = repository();
    repository.project.edit(MANIFEST, "phone_numbers:", "phone_number:");
    let done = repository.runs(&[("command", "plan"), ("comment", "off")]).ends(1);
    assert!(done.ran.stderr.contains("::error file="), "{done:#?}");
    assert_eq!(annotations(&done, "error"), Vec::<&str>::new());
}

#[test]
fn what_the_forge_refuses_is_a_warning_once_however_many_words_it_refuses() {
    let repository = repository();
    for _ in 0..4 {
        let forbidden = Fault::Answer(refusal(403, "Resource not accessible by integration", &[]));
        repository.github.fault(Method::Post, "/issues/12/comments", forbidden);
    }
    let done = repository.runs(&[("command", "plan")]).ends(1);
    says_once(&done, "warning", "`pull-requests: write`");
    says_once(&done, "error", "the plan could not be shown where it is approved");
    assert_eq!(done.ran.stderr.matches("warning: could not").count(), 1, "{done:#?}");
}
