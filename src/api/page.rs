//! Reads a list to its end, and knows whether it did (design, section 4).
//!
//! The end is a stated one or an empty page, never a short one: services cap pages without a word. Where no cursor is
//! stated, one is made from the last item's `created_at`, and beside the page behind it a few items from one step
//! *before* it are asked for, to see whether the page cut a tie in two (`tie` says why). The two requests go side by
//! side, so a list of N items in pages of P costs ⌈N/P⌉ + 1 round trips, or ⌈N/P⌉ where the end is stated.

use std::collections::BTreeSet;

use serde_json::Value;

use super::allowance::{Allowance, Load, MOST_PAGES};
use super::cursor::{Moment, Next, Order, read_page};
use super::error::ApiError;
use super::tie::{Glance, Moments, OpenTie, Verdict, judge, moment_of};
use super::wire::{Read, WireError};
use crate::http::{Answer, Client, Detail, HttpError, Method, Repeat, Request};
use crate::model::Coverage;

/// What is asked for first. More agents than most organizations have, and still a few megabytes.
pub const FIRST_LIMIT: usize = 1000;

/// How many items beyond a visible tie are asked for to see its end.
const TIE_MARGIN: usize = 8;

/// How often a page that is too large is halved. A thousand items that do not fit 64 MB fit after that, or are no list.
const MOST_HALVINGS: u32 = 4;

/// Longest cursor that is sent back, in bytes. No address of the service would be taken with a longer one.
const LONGEST_CURSOR: usize = 4_096;

/// What a record of which only the head is kept counts, in bytes and values: the rest of it is dropped at once.
const HEAD_BYTES: usize = 256;
const HEAD_VALUES: usize = 4;

/// A list as far as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// What was read, each item once, in reading order.
    pub items: Vec<T>,
    /// How much of the list that is.
    pub coverage: Coverage,
    /// The error that ended the reading.
    pub error: Option<ApiError>,
}

/// What to list.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The path.
    pub path: String,
    /// Filters.
    pub query: Vec<(String, String)>,
    /// For messages: `agents`.
    pub what: &'static str,
    /// For errors: `a list of agents`.
    pub expected: &'static str,
    /// The names under which an item's identity may stand, the likeliest first.
    pub identity: &'static [&'static str],
    /// Whether only the heads of its items are kept, as of versions, each of which comes with its config.
    pub heads_only: bool,
}

/// An item, read at once: values are ten times as large as their text, and a list may be long.
struct Item<T> {
    identity: Option<String>,
    moment: Option<Moment>,
    record: Read<T>,
}

struct Page<T> {
    items: Vec<Item<T>>,
    next: Next,
    bytes: usize,
}

/// Why reading stopped.
enum Stop {
    End,
    Doubt(String),
    Failed(HttpError),
}

struct Pager<'a, T, R> {
    client: &'a Client,
    target: &'a Target,
    allowance: &'a Allowance,
    read: R,
    limit: usize,
    halvings: u32,
    pages: usize,
    bytes: usize,
    items: Vec<T>,
    moments: Moments,
    seen: BTreeSet<String>,
    /// The first record that could not be read.
    broken: Option<WireError>,
    largest_page: usize,
    order: Option<Order>,
    last_read: Option<Moment>,
    /// Ties whose end was not shown.
    open: Vec<OpenTie>,
    /// Why the list cannot be proven whatever else is read.
    doubt: Option<String>,
}

/// Reads a list, each item by `read`. `limit` is what is asked for; it comes back lowered where the service has a bound.
pub(super) async fn read_all<T, R: Fn(&Value, &str) -> Read<T>>(
    client: &Client,
    target: &Target,
    allowance: &Allowance,
    limit: &mut usize,
    read: R,
) -> Listing<T> {
    let mut pager = Pager {
        client,
        target,
        allowance,
        read,
        limit: *limit,
        halvings: 0,
        pages: 0,
        bytes: 0,
        items: Vec::new(),
        moments: Moments::default(),
        seen: BTreeSet::new(),
        broken: None,
        largest_page: 0,
        order: None,
        last_read: None,
        open: Vec::new(),
        doubt: None,
    };
    let stop = pager.run().await;
    *limit = pager.limit;
    let what = target.what;
    let (mut coverage, mut error) = match stop {
        Stop::End => (Coverage::Proven, None),
        Stop::Doubt(doubt) => (Coverage::Unproven(doubt), None),
        Stop::Failed(error) if error.is_forbidden() && pager.items.is_empty() => {
            (Coverage::Forbidden(error.one_line()), Some(error))
        }
        Stop::Failed(error) => (Coverage::Incomplete(error.one_line()), Some(error)),
    };
    if let Some(WireError { at, found }) = pager.broken {
        // A record that cannot be read may be the one that matters: nothing is absent then.
        let request = Request::new(Method::Get, target.path.clone());
        let wrong = client.wrong_shape(&request, target.expected, at, found);
        coverage = Coverage::Incomplete(wrong.one_line());
        error.get_or_insert(wrong);
    }
    let error = error.map(|error| ApiError::new(format!("list {what}"), error));
    Listing { items: pager.items, coverage, error }
}

impl<T, R: Fn(&Value, &str) -> Read<T>> Pager<'_, T, R> {
    async fn run(&mut self) -> Stop {
        let mut page = match self.page(None).await {
            Ok(page) => page,
            Err(error) => return Stop::Failed(error),
        };
        let mut cursors = BTreeSet::new();
        loop {
            let Page { items, next, bytes } = page;
            self.pages += 1;
            self.bytes = self.bytes.saturating_add(bytes);
            self.largest_page = self.largest_page.max(items.len());
            let moments: Option<Vec<Moment>> = items.iter().map(|item| item.moment.clone()).collect();
            let last = items.last().and_then(|item| item.identity.clone()).unwrap_or_default();
            let length = items.len();
            let fresh = match self.take(items) {
                Ok(fresh) => fresh,
                Err(error) => return Stop::Failed(error),
            };
            let repeats = length > 0 && fresh == 0;
            match next {
                Next::End => return self.verdict().await,
                _ if self.pages >= MOST_PAGES => {
                    let bound = format!("a list has at most {MOST_PAGES} pages");
                    return Stop::Failed(self.too_much(&self.request(self.limit, None), bound));
                }
                _ if repeats => return Stop::Doubt("a page brought nothing new".to_owned()),
                Next::Cursor(cursor) if cursor.len() > LONGEST_CURSOR => {
                    let found = format!("a cursor of {} bytes", cursor.len());
                    let request = self.request(self.limit, None);
                    return Stop::Failed(self.client.wrong_shape(&request, self.target.expected, "", found));
                }
                Next::Cursor(cursor) => {
                    if !cursors.insert(cursor.clone()) {
                        return Stop::Doubt("its pages repeat".to_owned());
                    }
                    page = match self.page(Some(cursor)).await {
                        Ok(page) => page,
                        Err(error) => return Stop::Failed(error),
                    };
                }
                // A service that stated a next page before says by silence that there is none now.
                Next::Silent if length == 0 || !cursors.is_empty() => return self.verdict().await,
                Next::Silent => {
                    page = match self.beyond(moments, last).await {
                        Ok(page) => page,
                        Err(stop) => return stop,
                    };
                }
            }
        }
    }

    /// The page behind one that states nothing, and beside it the check that no tie was cut in two.
    async fn beyond(&mut self, moments: Option<Vec<Moment>>, identity: String) -> Result<Page<T>, Stop> {
        let Some(moments) = moments else {
            return Err(Stop::Doubt("its items have no `created_at` to continue from".to_owned()));
        };
        if !self.follow_order(&moments) {
            return Err(Stop::Doubt(
                "it is not ordered by `created_at`, so there is no cursor to continue from".to_owned(),
            ));
        }
        let Some(last) = moments.last().cloned() else { return Err(Stop::End) };
        let visible = moments.iter().rev().take_while(|moment| moment.at == last.at).count();

        let orders = self.order.map_or_else(|| vec![Order::NewestFirst, Order::OldestFirst], |order| vec![order]);
        let glances = orders.iter().map(|order| self.glance(&last, &identity, *order, visible));
        let behind = self.fetch(self.limit, Some(last.cursor()));
        let (behind, glances) = futures_util::join!(behind, futures_util::future::join_all(glances));

        let page = match behind {
            Ok(page) => page,
            // We made the cursor, and the service says that it is none.
            Err(error) if error.is_invalid() => {
                return Err(Stop::Doubt(format!(
                    "the service takes no cursor made from `created_at` ({})",
                    error.detail().unwrap_or(&Detail::Empty)
                )));
            }
            Err(error) if error.is_too_large() => {
                self.smaller(Some(last.cursor()), error).await.map_err(Stop::Failed)?
            }
            Err(error) => return Err(Stop::Failed(error)),
        };
        let Some(glance) = glances.into_iter().find(|glance| glance.shows_last) else {
            let doubt = format!("the service does not lead back to the `created_at` {}", last.text());
            self.doubt.get_or_insert(doubt);
            return Ok(page);
        };
        let Glance { items, goes_on, length, asked, shows_last: _ } = glance;
        self.take(items).map_err(Stop::Failed)?;
        if !goes_on {
            self.open.push(OpenTie { at: last, length, asked, is_last: page.items.is_empty() });
        }
        Ok(page)
    }

    /// Looks once more at what shares the last item's moment.
    async fn glance(&self, last: &Moment, identity: &str, order: Order, visible: usize) -> Glance<Item<T>> {
        let Some(cursor) = last.cursor_before(order) else { return Glance::default() };
        let mut asked = self.limit.min(visible + TIE_MARGIN);
        loop {
            // What went wrong here is not lost: a tie that was not looked at leaves the list unproven.
            let Ok(page) = self.fetch(asked, Some(cursor.clone())).await else { return Glance::default() };
            let length = page.items.len();
            let goes_on = page.items.iter().filter_map(|item| item.moment.as_ref()).any(|moment| match order {
                Order::NewestFirst => moment.at < last.at,
                Order::OldestFirst => moment.at > last.at,
            });
            if goes_on || length < asked || asked >= self.limit {
                let shares = |item: &Item<T>| item.moment.as_ref().is_some_and(|moment| moment.at == last.at);
                let items: Vec<Item<T>> = page.items.into_iter().filter(shares).collect();
                let shows_last = items.iter().any(|item| item.identity.as_deref() == Some(identity));
                return Glance { items, shows_last, goes_on, length, asked };
            }
            asked = self.limit;
        }
    }

    /// What is to be thought of a list after its last page.
    async fn verdict(&mut self) -> Stop {
        if let Some(doubt) = self.doubt.take() {
            return Stop::Doubt(doubt);
        }
        match judge(&self.moments, &self.open, self.order, self.largest_page) {
            Verdict::Whole => Stop::End,
            Verdict::Doubtful(doubt) => Stop::Doubt(doubt),
            Verdict::Test { cursor, expect } => match self.fetch(expect, cursor).await {
                Ok(page) if page.items.len() == expect => Stop::End,
                Ok(_) | Err(_) => Stop::Doubt("the service does not fill its pages, so a tie may hide".to_owned()),
            },
        }
    }

    /// Learns the order, or finds that there is none.
    fn follow_order(&mut self, moments: &[Moment]) -> bool {
        let mut before = self.last_read.take();
        for moment in moments {
            if let Some(before) = &before {
                let now = match moment.at.cmp(&before.at) {
                    std::cmp::Ordering::Equal => None,
                    std::cmp::Ordering::Less => Some(Order::NewestFirst),
                    std::cmp::Ordering::Greater => Some(Order::OldestFirst),
                };
                match (self.order, now) {
                    (Some(order), Some(now)) if order != now => return false,
                    (None, Some(now)) => self.order = Some(now),
                    _ => {}
                }
            }
            before = Some(moment.clone());
        }
        self.last_read = before;
        true
    }

    /// Keeps what is new, and counts it.
    fn take(&mut self, items: Vec<Item<T>>) -> Result<usize, HttpError> {
        let mut fresh = 0;
        for (index, Item { identity, moment, record }) in items.into_iter().enumerate() {
            let Some(identity) = identity else {
                let at = format!("/{index}/{}", self.target.identity.first().unwrap_or(&""));
                return Err(self.client.wrong_shape(
                    &self.request(self.limit, None),
                    self.target.expected,
                    at,
                    "nothing",
                ));
            };
            if !self.seen.insert(identity) {
                continue;
            }
            fresh += 1;
            self.moments.add(moment);
            match record {
                Ok(record) => self.items.push(record),
                Err(broken) => drop(self.broken.get_or_insert(broken)),
            }
        }
        Ok(fresh)
    }

    fn identity(&self, item: &Value) -> Option<String> {
        self.target.identity.iter().find_map(|name| match item.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// One page, with the limit lowered until the service takes it.
    async fn page(&mut self, cursor: Option<String>) -> Result<Page<T>, HttpError> {
        loop {
            let error = match self.fetch(self.limit, cursor.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if error.is_too_large() {
                return self.smaller(cursor, error).await;
            }
            match lower(&error, self.limit, cursor.is_none()) {
                Some(limit) => {
                    self.limit = limit;
                }
                None => return Err(error),
            }
        }
    }

    /// The same page with half the limit, and half again.
    async fn smaller(&mut self, cursor: Option<String>, mut error: HttpError) -> Result<Page<T>, HttpError> {
        while error.is_too_large() && self.halvings < MOST_HALVINGS && self.limit > 1 {
            self.halvings += 1;
            self.limit /= 2;
            error = match self.fetch(self.limit, cursor.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
        }
        Err(error)
    }

    async fn fetch(&self, limit: usize, cursor: Option<String>) -> Result<Page<T>, HttpError> {
        let request = self.request(limit, cursor);
        self.allowance
            .check_time(self.client.clock().now())
            .map_err(|reached| self.too_much(&request, reached.bound))?;
        let Answer { value, response, values } =
            self.client.json(&request, Repeat::Always, self.target.expected).await?;
        let found = crate::model::value::type_name(&value);
        let bytes = response.body.len();
        let Some((items, next)) = read_page(value, &response) else {
            return Err(self.client.wrong_shape(&request, self.target.expected, "", found));
        };
        let load = if self.target.heads_only {
            Load { items: items.len(), bytes: items.len() * HEAD_BYTES, values: items.len() * HEAD_VALUES }
        } else {
            Load { items: items.len(), bytes, values }
        };
        self.allowance.take(load).map_err(|reached| self.too_much(&request, reached.bound))?;
        let items = items.into_iter().enumerate().map(|(index, item)| Item {
            identity: self.identity(&item),
            moment: moment_of(&item),
            record: (self.read)(&item, &format!("/{index}")),
        });
        Ok(Page { items: items.collect(), next, bytes })
    }

    fn too_much(&self, request: &Request, bound: String) -> HttpError {
        let (items, pages, megabytes) = (self.moments.items(), self.pages, self.bytes / 1_000_000);
        let read = format!("{items} items in {pages} pages with {megabytes} MB were read of this list");
        self.client.too_much(request, bound, read)
    }

    fn request(&self, limit: usize, cursor: Option<String>) -> Request {
        let mut request = Request::new(Method::Get, self.target.path.clone());
        request.query.clone_from(&self.target.query);
        request.query.push(("limit".to_owned(), limit.to_string()));
        request.query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
        request
    }
}

/// The next lower limit to try after a 422, where that was about the limit.
fn lower(error: &HttpError, limit: usize, is_first_page: bool) -> Option<usize> {
    if error.status() != Some(422) || limit <= 1 {
        return None;
    }
    let complaints = error.detail().map(Detail::complaints).unwrap_or_default();
    let named = complaints.iter().find(|complaint| complaint.place.iter().any(|step| step == "limit"));
    match named {
        Some(complaint) => {
            let bound = complaint.bound.and_then(|bound| usize::try_from(bound).ok());
            Some(bound.filter(|bound| (1..limit).contains(bound)).unwrap_or(limit / 2))
        }
        None if complaints.is_empty() && is_first_page => Some(limit / 2),
        None => None,
    }
}
