//! Ids and times: a counter that looks like UUIDs, and a clock that never shows the same microsecond twice.

use jiff::{Timestamp, ToSpan, Unit};
use serde::{Deserialize, Serialize};

use super::switches::Ties;

/// What an id names; the first group of the id tells them apart for people.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Agent,
    Version,
    Widget,
    Email,
    Trunk,
    Workflow,
    Recording,
}

impl Kind {
    fn group(self) -> u32 {
        match self {
            Self::Agent => 0xa9e0_0001,
            Self::Version => 0xfe50_0002,
            Self::Widget => 0xd9e7_0003,
            Self::Email => 0xe4a1_0004,
            Self::Trunk => 0x7c4b_0005,
            Self::Workflow => 0xf10e_0006,
            Self::Recording => 0xaed1_0007,
        }
    }
}

/// How many records share one creation time where ties are switched on.
const TIE_LENGTH: u32 = 3;

/// Makes ids and times.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mint {
    serial: u64,
    last: Timestamp,
    tied: Option<(Timestamp, u32)>,
}

impl Default for Mint {
    fn default() -> Self {
        Self { serial: 0, last: Timestamp::UNIX_EPOCH, tied: None }
    }
}

impl Mint {
    /// The next id and its serial number, by which records of one creation time are told apart.
    pub(super) fn id(&mut self, kind: Kind) -> (String, u64) {
        let serial = self.serial();
        (format!("{:08x}-0000-4000-8000-{serial:012x}", kind.group()), serial)
    }

    /// The next serial number.
    pub(super) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Lets the clock catch up with the caller's.
    pub(super) fn observe(&mut self, now: Timestamp) {
        let now = now.round(Unit::Microsecond).unwrap_or(now);
        self.last = self.last.max(now);
    }

    /// The time of a change: now, but at least a microsecond after the last one.
    pub(super) fn moment(&mut self) -> Timestamp {
        self.last = self.last.checked_add(1.microsecond()).unwrap_or(self.last);
        self.last
    }

    /// The time of a creation, which may be shared.
    pub(super) fn birth(&mut self, ties: Ties) -> Timestamp {
        let moment = self.moment();
        match ties {
            Ties::None => moment,
            Ties::All => {
                let second = moment.as_second();
                Timestamp::from_second(second - second.rem_euclid(3600)).unwrap_or(moment)
            }
            Ties::Some => {
                let (shared, count) = match self.tied {
                    Some((shared, count)) if count < TIE_LENGTH => (shared, count + 1),
                    _ => (moment, 1),
                };
                self.tied = Some((shared, count));
                shared
            }
        }
    }

    /// The last time that was given out or observed.
    pub(super) fn last(&self) -> Timestamp {
        self.last
    }
}

/// The time as the service writes it: RFC 3339, UTC, always six digits.
pub(super) fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_moments_are_alike_and_time_never_goes_back() {
        let mut mint = Mint::default();
        mint.observe("2026-11-24T10:00:00Z".parse().unwrap());
        let (first, second) = (mint.moment(), mint.moment());
        mint.observe("2026-11-24T09:00:00Z".parse().unwrap());
        assert_eq!(wire_time(first), "2026-11-24T10:00:00.000001Z");
        assert_eq!(wire_time(second), "2026-11-24T10:00:00.000002Z");
        assert_eq!(wire_time(mint.moment()), "2026-11-24T10:00:00.000003Z");
    }

    #[test]
    fn ties_come_three_by_three_or_by_the_hour() {
        let mut mint = Mint::default();
        let births: Vec<Timestamp> = (0..7).map(|_| mint.birth(Ties::Some)).collect();
        assert_eq!(births[0], births[2]);
        assert_ne!(births[2], births[3]);
        assert_eq!(births[3], births[5]);
        assert_ne!(births[5], births[6]);
        assert_eq!(mint.birth(Ties::All), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn ids_look_like_uuids_and_count() {
        let mut mint = Mint::default();
        assert_eq!(mint.id(Kind::Agent).0, "a9e00001-0000-4000-8000-000000000001");
        assert_eq!(mint.id(Kind::Version).0, "fe500002-0000-4000-8000-000000000002");
    }
}
