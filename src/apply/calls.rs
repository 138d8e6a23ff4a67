//! Which publish calls bring every number to its slot.

use std::collections::BTreeMap;

use crate::api::Directions;
use crate::model::{Direction, PhoneNumber};

/// Numbers by direction.
pub type Assign = BTreeMap<Direction, Vec<PhoneNumber>>;

/// One publish call: which slots, and the numbers.
pub type Call = (Directions, Vec<PhoneNumber>);

/// Why a version cannot get its numbers where each direction takes a call of its own.
pub const ONLY_ONCE: &str = "this service publishes a version only once, and one call cannot give it different numbers \
                             for inbound and outbound calls; no further version was made";

/// What can be done about it.
pub const SAME_NUMBERS: &str = "declare the same numbers in both directions, or only one direction";

/// What can be done about a slot that is to be emptied there.
pub const IN_THE_DASHBOARD: &str = "another apply cannot do it either: empty the slot in the dashboard";

/// What is assigned together with what is in place: a version that is made after all takes all of it along.
pub fn with_carried(assign: &Assign, carry: &Assign) -> Assign {
    let mut all = assign.clone();
    for (direction, numbers) in carry {
        let list = all.entry(*direction).or_default();
        list.extend(numbers.iter().cloned());
        list.sort();
        list.dedup();
    }
    all
}

/// Which publish calls bring every number to its slot. With no number at all there is one call, for publishing.
pub fn publish_calls(assign: &Assign) -> Vec<Call> {
    let of = |direction| assign.get(&direction).cloned().unwrap_or_default();
    let (inbound, outbound) = (of(Direction::Inbound), of(Direction::Outbound));
    match (inbound.is_empty(), outbound.is_empty()) {
        (true, true) => vec![(Directions::One(Direction::Inbound), Vec::new())],
        _ if inbound == outbound => vec![(Directions::Both, inbound)],
        (false, true) => vec![(Directions::One(Direction::Inbound), inbound)],
        (true, false) => vec![(Directions::One(Direction::Outbound), outbound)],
        (false, false) => {
            vec![(Directions::One(Direction::Inbound), inbound), (Directions::One(Direction::Outbound), outbound)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_that_agree_are_one_call_and_others_two() {
        let number = |text: &str| PhoneNumber::from_service(text);
        let (a, b) = (number("+15550000001"), number("+15550000002"));
        let same = BTreeMap::from([(Direction::Inbound, vec![a.clone()]), (Direction::Outbound, vec![a.clone()])]);
        assert_eq!(publish_calls(&same), [(Directions::Both, vec![a.clone()])]);
        let two = BTreeMap::from([(Direction::Inbound, vec![a.clone()]), (Direction::Outbound, vec![b])]);
        assert_eq!(publish_calls(&two).len(), 2);
        assert_eq!(publish_calls(&BTreeMap::new()), [(Directions::One(Direction::Inbound), vec![])]);
    }
}
