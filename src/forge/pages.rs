//! Lists that come in pages, read to their end.

use serde_json::Value;

use crate::http::{Client, HttpError, Method, Repeat, Request, Response};

/// How many entries a page has: the most that both forges give.
pub(super) const PAGE_SIZE: usize = 100;

/// Most pages of a list that must be read to its end: ten thousand comments on one pull request are no conversation.
pub(super) const MOST_PAGES: usize = 100;

/// A list, and whether it was read to its end.
pub(super) struct Listed {
    pub(super) entries: Vec<Value>,
    pub(super) complete: bool,
}

/// Reads a list. `member` names the list inside the answer, where it is not the answer itself.
pub(super) async fn list(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    member: Option<&str>,
    most_pages: usize,
) -> Result<Listed, HttpError> {
    let mut entries = Vec::new();
    for page in 1..=most_pages {
        let mut request = Request::new(Method::Get, path);
        request.query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        request.query.push(("per_page".to_owned(), PAGE_SIZE.to_string()));
        request.query.push(("page".to_owned(), page.to_string()));
        let answer = client.json::<Value>(&request, Repeat::Always, "a list").await?;
        let found = member.map_or(Some(&answer.value), |member| answer.value.get(member)).and_then(Value::as_array);
        let Some(found) = found else {
            return Err(client.wrong_shape(&request, "a list", "", "something else"));
        };
        let count = found.len();
        entries.extend(found.iter().cloned());
        if is_last(&answer.response, count) {
            return Ok(Listed { entries, complete: true });
        }
    }
    Ok(Listed { entries, complete: false })
}

/// Whether the list ends here. Both forges say where the next page is; GitHub says nothing where there is but one page.
fn is_last(response: &Response, count: usize) -> bool {
    if count == 0 {
        return true;
    }
    if let Some(next) = response.header("x-next-page") {
        return next.trim().is_empty();
    }
    match response.header("link") {
        Some(links) => !links.contains("rel=\"next\""),
        None => count < PAGE_SIZE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(header: Option<(&str, &str)>) -> Response {
        let headers = header.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Response { status: 200, headers, body: Vec::new() }
    }

    #[test]
    fn the_end_of_a_list_is_stated_or_an_empty_page() {
        let link = |text| response(Some(("link", text)));
        assert!(!is_last(&link("<https://x.test?page=2>; rel=\"next\", <https://x.test?page=9>; rel=\"last\""), 3));
        assert!(is_last(&link("<https://x.test?page=1>; rel=\"first\""), PAGE_SIZE));
        assert!(is_last(&response(None), PAGE_SIZE - 1) && !is_last(&response(None), PAGE_SIZE));
        assert!(is_last(&response(None), 0));
        assert!(is_last(&response(Some(("x-next-page", ""))), PAGE_SIZE));
        assert!(!is_last(&response(Some(("x-next-page", "2"))), 1));
    }
}
