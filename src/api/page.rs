//! Reads a list to its end, and knows whether it did (design, section 4).
//!
//! The end is a stated one or an empty page, never a short one: services cap pages without a word. If no cursor is
//! stated, one is made from the last item's `created_at`, moved back by one step in reading order, so that the next page
//! begins with the last item again and a tie that the page cut in two is read whole; what repeats falls out by its
//! identity. A page that may be the last is checked with the plain cursor, beside the next page: nothing behind it is the
//! end. So a list of N items in pages of P costs about N/(P−1) + 1 requests, one after the other.
//!
//! A tie that fills a whole page is the one thing that this cannot see through: then the list is *unproven*.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::Value;

use super::allowance::{Allowance, Load, MOST_PAGES};
use super::cursor::{Moment, Next, Order, Step, moment_of, read_page};
use super::error::ApiError;
use super::wire::{Read, WireError};
use crate::http::{Answer, Client, Detail, HttpError, Method, Repeat, Request};
use crate::model::Coverage;

/// What is asked for first. More agents than most organizations have, and still a few megabytes.
pub const FIRST_LIMIT: usize = 1000;

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

/// The item that a page ends with.
struct Last {
    identity: String,
    moment: Moment,
}

/// How a list is sorted by `created_at`, as far as its items show it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    /// All that was read was created in one moment.
    Unknown,
    By(Order),
    Unsorted,
}

/// A page that begins at or before an item, and how it was asked for.
struct Again<T> {
    page: Page<T>,
    order: Order,
    step: Step,
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

impl<T> Page<T> {
    fn shows(&self, last: &Last) -> bool {
        self.items.iter().any(|item| item.identity.as_ref() == Some(&last.identity))
    }
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
    seen: BTreeSet<String>,
    /// The first record that could not be read.
    broken: Option<WireError>,
    /// How many items the longest page held.
    largest_page: usize,
    /// Whether a page shorter than what was asked for was not the last: the service has a cap of its own.
    is_capped: bool,
    /// Whether a page shorter than another was not the last: the length of a page says nothing.
    is_ragged: bool,
    sorting: Sorting,
    /// When the item that was read last was created.
    last_read: Option<Moment>,
    /// Whether two items share a moment.
    has_ties: bool,
    /// Whether an item does not say when it was created.
    is_undated: bool,
    /// The most digits of a second that a timestamp of the list is written with.
    digits: usize,
    /// The least step back that showed the last item again.
    least_step: SignedDuration,
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
        seen: BTreeSet::new(),
        broken: None,
        largest_page: 0,
        is_capped: false,
        is_ragged: false,
        sorting: Sorting::Unknown,
        last_read: None,
        has_ties: false,
        is_undated: false,
        digits: 0,
        least_step: SignedDuration::ZERO,
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
            let length = items.len();
            let last = items.last().and_then(|item| Some((item.identity.clone()?, item.moment.clone()?)));
            let fresh = match self.take(items) {
                Ok(fresh) => fresh,
                Err(error) => return Stop::Failed(error),
            };
            match next {
                Next::End => return self.end(),
                _ if self.pages >= MOST_PAGES => {
                    let bound = format!("a list has at most {MOST_PAGES} pages");
                    return Stop::Failed(self.too_much(&self.request(self.limit, None), bound));
                }
                _ if length > 0 && fresh == 0 => return Stop::Doubt("a page brought nothing new".to_owned()),
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
                Next::Silent if !cursors.is_empty() => return self.end(),
                Next::Silent => {
                    if length == 0 {
                        return self.end();
                    }
                    let Some((identity, moment)) = last.filter(|_| !self.is_undated) else {
                        return Stop::Doubt("its items have no `created_at` to continue from".to_owned());
                    };
                    page = match self.beyond(&Last { identity, moment }, length).await {
                        Ok(page) => page,
                        Err(stop) => return stop,
                    };
                }
            }
        }
    }

    fn end(&mut self) -> Stop {
        self.doubt.take().map_or(Stop::End, Stop::Doubt)
    }

    /// The page that goes on where one that states nothing ended, or that there is none.
    ///
    /// It is asked for from one step before the page's last item. If the page may be the list's last, what lies behind
    /// that item is asked for beside it.
    async fn beyond(&mut self, last: &Last, length: usize) -> Result<Page<T>, Stop> {
        if self.sorting == Sorting::Unsorted {
            return Err(Stop::Doubt(
                "it is not ordered by `created_at`, so there is no cursor to continue from".to_owned(),
            ));
        }
        let full = if self.is_capped { self.largest_page } else { self.limit };
        let (again, behind) = loop {
            let plain = || self.fetch(self.limit, Some(last.moment.cursor()));
            let both = async {
                if length < full {
                    futures_util::future::try_join(self.again(last), async { plain().await.map(Some) }).await
                } else {
                    Ok((self.again(last).await?, None))
                }
            };
            match both.await {
                Ok(both) => break both,
                Err(error) if error.is_too_large() && self.halve() => {}
                Err(error) => return Err(cursor_refused(error)),
            }
        };
        if behind.as_ref().is_some_and(|page| !page.items.is_empty() && !page.shows(last)) {
            self.note_short_page(length);
        }
        let Some(Again { page, order, step }) = again else {
            let at = last.moment.text();
            self.doubt.get_or_insert(format!("the service does not lead back to the `created_at` {at}"));
            let behind = match behind {
                Some(page) => page,
                None => self.page(Some(last.moment.cursor())).await.map_err(cursor_refused)?,
            };
            return if behind.items.is_empty() { Err(self.end()) } else { Ok(behind) };
        };
        self.least_step = step.length();
        let beyond = |item: &Item<T>| item.moment.as_ref().is_some_and(|at| order.leads(&last.moment, at));
        if page.items.iter().any(beyond) {
            return Ok(page);
        }
        // It shows nothing behind the last item: that is the end, or the page is full of what was created with it.
        let shown = page.items.len();
        self.take(page.items).map_err(Stop::Failed)?;
        let mut behind = match behind {
            Some(page) => page,
            None => self.page(Some(last.moment.cursor())).await.map_err(cursor_refused)?,
        };
        let mut further = step.wider();
        while behind.shows(last) {
            // The service reads its own timestamps coarsely: only a step further on lies behind the item.
            let cursor = further.and_then(|step| last.moment.cursor_before(order.reversed(), step));
            let (Some(cursor), Some(step)) = (cursor, further) else { return Ok(behind) };
            further = step.wider();
            behind = self.page(Some(cursor)).await.map_err(cursor_refused)?;
        }
        if !behind.items.is_empty() {
            self.note_short_page(shown);
        }
        if self.may_be_cut(shown) {
            let at = last.moment.text();
            self.doubt.get_or_insert(format!("more of it than was shown may share the `created_at` {at}"));
        }
        if behind.items.is_empty() { Err(self.end()) } else { Ok(behind) }
    }

    /// Learns from a page that was not the last.
    fn note_short_page(&mut self, length: usize) {
        self.is_capped |= length < self.limit;
        self.is_ragged |= length < self.largest_page;
    }

    /// Whether a page of `shown` items, all of one moment, may have been cut among them.
    fn may_be_cut(&self, shown: usize) -> bool {
        shown >= self.limit
            || (shown > 1 && (shown >= self.largest_page || self.is_ragged))
            || (self.is_ragged && self.has_ties)
    }

    /// The page that begins with what was created when `last` was, by the least step back that shows it again; `None` if
    /// none does.
    async fn again(&self, last: &Last) -> Result<Option<Again<T>>, HttpError> {
        let orders = match self.sorting {
            Sorting::By(order) => vec![order],
            // The newest first is documented for conversations.
            Sorting::Unknown | Sorting::Unsorted => vec![Order::NewestFirst, Order::OldestFirst],
        };
        let mut widening = Some(Step::new(self.digits, self.least_step));
        while let Some(step) = widening {
            for &order in &orders {
                let Some(cursor) = last.moment.cursor_before(order, step) else { continue };
                let page = self.fetch(self.limit, Some(cursor)).await?;
                if page.shows(last) {
                    return Ok(Some(Again { page, order, step }));
                }
            }
            widening = step.wider();
        }
        Ok(None)
    }

    /// Follows the order in which items come.
    fn follow(&mut self, moment: Option<Moment>) {
        let Some(moment) = moment else {
            self.is_undated = true;
            return;
        };
        self.digits = self.digits.max(moment.digits());
        if let Some(before) = &self.last_read {
            let order = match moment.at.cmp(&before.at) {
                std::cmp::Ordering::Equal => None,
                std::cmp::Ordering::Less => Some(Order::NewestFirst),
                std::cmp::Ordering::Greater => Some(Order::OldestFirst),
            };
            self.has_ties |= order.is_none();
            self.sorting = match (self.sorting, order) {
                (sorting, None) => sorting,
                (Sorting::Unknown, Some(order)) => Sorting::By(order),
                (Sorting::By(known), Some(order)) if known == order => self.sorting,
                (Sorting::By(_) | Sorting::Unsorted, Some(_)) => Sorting::Unsorted,
            };
        }
        self.last_read = Some(moment);
    }

    /// Keeps what is new, and counts it.
    fn take(&mut self, items: Vec<Item<T>>) -> Result<usize, HttpError> {
        self.largest_page = self.largest_page.max(items.len());
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
            self.follow(moment);
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
            match self.fetch(self.limit, cursor.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) if error.is_too_large() && self.halve() => {}
                Err(error) => match lower(&error, self.limit, cursor.is_none()) {
                    Some(limit) => self.limit = limit,
                    None => return Err(error),
                },
            }
        }
    }

    /// Asks for half as much from now on, as the answer was too large.
    fn halve(&mut self) -> bool {
        if self.halvings >= MOST_HALVINGS || self.limit <= 1 {
            return false;
        }
        self.halvings += 1;
        self.limit /= 2;
        // What was learned of the length of pages was learned of longer ones.
        (self.largest_page, self.is_capped, self.is_ragged) = (0, false, false);
        true
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
        let (items, pages, megabytes) = (self.seen.len(), self.pages, self.bytes / 1_000_000);
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

/// What it means that the service did not take a page that goes on from a `created_at`.
fn cursor_refused(error: HttpError) -> Stop {
    if error.is_invalid() {
        let detail = error.detail().unwrap_or(&Detail::Empty);
        return Stop::Doubt(format!("the service takes no cursor made from `created_at` ({detail})"));
    }
    Stop::Failed(error)
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
