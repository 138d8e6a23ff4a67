//! One disturbance of one apply, and what must be true after the next one.

use std::fmt;

use reachform::plan::{Approval, Outcome};
use reachform::sandbox::{Fault, Phase};

use super::stage::Stage;
use crate::world::run;

/// Everything that can go wrong with one request, as it is typed; a piece of a dripping answer comes within the client's
/// patience, or not.
pub const FAULTS: [&str; 16] = [
    "refuse",
    "drop-before",
    "drop-after",
    "500-before",
    "500-after",
    "503-before",
    "429=3",
    "429-date=3",
    "html-502",
    "html",
    "shape",
    "cut",
    "hang-before",
    "hang-after",
    "drip=100",
    "drip=20000",
];

/// What happens to the apply.
#[derive(Clone, Copy, Debug)]
pub enum Disturbance {
    Fault(&'static str),
    /// `kill -9`: nothing goes on, and nothing is tidied up.
    Kill(Phase),
}

impl Disturbance {
    pub fn all() -> impl Iterator<Item = Self> {
        let faults = FAULTS.into_iter().map(Self::Fault);
        faults.chain([Self::Kill(Phase::Before), Self::Kill(Phase::After)])
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(fault),
            Self::Kill(phase) => write!(f, "killed {}", if *phase == Phase::Before { "before" } else { "after" }),
        }
    }
}

/// Disturbs one request of an apply, applies again from a fresh folder, and looks.
pub fn strike(stage: &Stage, disturbance: Disturbance, nth: usize) {
    let (mut world, gaps) = stage.raise();
    let what = format!("{disturbance} at request {nth}");
    run(async {
        let mut called_done = false;
        match disturbance {
            Disturbance::Fault(fault) => {
                world.sandbox.add_fault(Fault::parse(&format!("{fault}#{nth}")).unwrap());
                let first = world.try_apply(Approval::Person).await;
                world.sandbox.clear_faults();
                if let Ok(Ok(report)) = &first {
                    let counted: usize = Outcome::ALL.iter().map(|outcome| report.count(*outcome)).sum();
                    assert_eq!(counted, report.outcomes.len(), "{what}: the report adds up");
                    called_done = report.is_complete();
                }
            }
            Disturbance::Kill(phase) => world.die(phase, &format!("#{nth}")).await,
        }
        if stage.name.contains("eventual=") {
            for _ in 0..3 {
                let _plan = world.try_plan().await;
            }
        }
        let report = world.apply().await;
        assert!(report.is_complete(), "{}: {what}: {:#?}", stage.name, report.outcomes);
        if called_done {
            // What the first report calls done is done: the second plan is empty, and nothing is left to be written.
            let is_idle = report.outcomes.is_empty() && !report.wrote;
            assert!(is_idle, "{}: {what}: called done, and {report:#?}", stage.name);
        } else {
            world.assert_empty(&format!("{}: {what}", stage.name)).await;
        }
    });
    if std::env::var("REACHFORM_MATRIX").is_ok_and(|chosen| chosen != "all" && chosen != "sixth") {
        for entry in world.sandbox.log() {
            println!("{:>4} {entry}", entry.number);
        }
    }
    stage.check(&world, &what);
    stage.check_versions(&world, &what);
    let gaps = gaps.lock().unwrap();
    assert!(gaps.is_empty(), "{}: {what}: {gaps:?}", stage.name);
}
