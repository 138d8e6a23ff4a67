//! What a client is busy with, so that a run can show that it is alive and why it takes its time.

use std::fmt;
use std::time::Duration;

/// What a client is busy with at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The request that was sent last and has not been answered well, as `GET /core/agents`.
    pub request: Option<String>,
    /// Why a request is sent again, and how often it has been sent.
    pub trouble: Option<(String, u32)>,
    /// How long the service asked to wait, and how long it still is.
    pub asked_to_wait: Option<(Duration, Duration)>,
    /// Whether a request has waited because the service limits requests, without having said for how long.
    pub waits_unasked: bool,
    /// What is read, how many were answered, and of how many.
    pub counted: Option<(&'static str, usize, usize)>,
}

impl Activity {
    /// Whether there is nothing to tell.
    pub fn is_idle(&self) -> bool {
        self.request.is_none() && self.asked_to_wait.is_none()
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, trouble, asked_to_wait, waits_unasked: _, counted } = self;
        if let Some((what, done, total)) = counted {
            write!(f, "{what}: {done} of {total}; ")?;
        }
        let request = request.as_deref().unwrap_or("the next request");
        match (asked_to_wait, trouble) {
            (Some((asked, left)), _) => {
                write!(f, "the service asked to wait {} s, next attempt in {} s", seconds(*asked), seconds(*left))
            }
            (None, Some((why, attempts))) => write!(f, "sending {request} again after {attempts} attempts: {why}"),
            (None, None) => write!(f, "waiting for the answer to {request}"),
        }
    }
}

/// Whole seconds, rounded up: nobody is asked to wait for none.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_said_with_how_long_and_how_many() {
        let mut activity = Activity { request: Some("GET /core/agents".to_owned()), ..Activity::default() };
        assert_eq!(activity.to_string(), "waiting for the answer to GET /core/agents");
        activity.trouble = Some(("the service answered 503".to_owned(), 3));
        let again = "sending GET /core/agents again after 3 attempts: the service answered 503";
        assert_eq!(activity.to_string(), again);
        activity.asked_to_wait = Some((Duration::from_secs(20), Duration::from_millis(13_200)));
        activity.counted = Some(("configs read", 4, 30));
        assert_eq!(activity.to_string(), "configs read: 4 of 30; the service asked to wait 20 s, next attempt in 14 s");
    }
}
