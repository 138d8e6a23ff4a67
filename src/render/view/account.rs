//! The account: what is shown of a plan, a check, a difference or a report, and how loudly. Types only.

use crate::model::Key;
use crate::plan::Target;
use crate::render::prose::ProseDiff;
use crate::render::values::{Delta, ItemMark};

use super::piece::{Line, Theirs, Tone};

/// Where the account is read. What an approval does to a conflict is said in the words of the place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A plan that is shown, in a terminal, a log or a page, and decided on elsewhere.
    #[default]
    Shown,
    /// Above the question whether to apply it.
    Prompt,
    /// A comment on a pull request whose merge approves the plan by its hash.
    Merge,
    /// A run that nobody is asked in: what is in conflict is held.
    AutoApprove,
}

/// All that is shown, in the order in which it is shown.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// What it is for and what it was made from.
    pub facts: Vec<Fact>,
    /// What is wrong with the whole of it, as that not everything was read.
    pub warnings: Vec<Warning>,
    /// What nobody may overlook.
    pub alarms: Vec<Alarm>,
    /// The signs in the margin that are used, with what they mean.
    pub signs: Vec<(Line, &'static str)>,
    /// How each agent's change ended (a report alone).
    pub outcomes: Vec<OutcomeRow>,
    /// Agents, and changes that several agents share.
    pub blocks: Vec<Block>,
    /// Numbers that change hands between manifests (a difference of files alone; a plan has them in its blocks).
    pub numbers: Vec<Move>,
    /// What is said when there is nothing to show.
    pub nothing: Option<&'static str>,
    /// What is not a change and is worth a line.
    pub notes: Vec<Note>,
    /// What to do now.
    pub ways: Vec<Way>,
    /// The totals; scripts read the first.
    pub totals: Vec<Total>,
    /// What a limit of the medium left no room for.
    pub cut: Option<Cut>,
}

/// What is not shown because there is no room.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// How many changed values are shown.
    pub shown: usize,
    /// How many there are.
    pub of: usize,
    /// Agents of which nothing else is shown, risky ones first.
    pub names: Vec<Line>,
    /// Agents that are not even named.
    pub unnamed: usize,
    /// Alarms that are not shown.
    pub alarms: usize,
    /// Other lines that are not shown.
    pub lines: usize,
}

/// A named fact.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub what: Line,
}

/// Something that is wrong with the whole.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What, in one or two words.
    pub lead: &'static str,
    /// How bad.
    pub tone: Tone,
    /// The sentence.
    pub what: Line,
    /// What to do about it.
    pub hints: Vec<Line>,
}

/// Something that nobody may overlook.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// The addresses of the agents that it is about.
    pub agents: Vec<Theirs>,
    /// The sentence, which does not name them.
    pub what: Line,
}

/// The alarms about the very same agents.
#[derive(Clone, Debug)]
pub struct AlarmGroup<'a> {
    /// The addresses of the agents; none of what is about no agent.
    pub agents: &'a [Theirs],
    /// The sentences, the gravest first. What is about no agent is a group of its own.
    pub what: Vec<&'a Line>,
}

/// Alarms by the agents that they are about, in the order of the gravest alarm of each group.
pub fn by_agent(alarms: &[Alarm]) -> Vec<AlarmGroup<'_>> {
    let mut groups: Vec<AlarmGroup<'_>> = Vec::new();
    for Alarm { agents, what } in alarms {
        match groups.iter_mut().find(|group| !agents.is_empty() && group.agents == agents.as_slice()) {
            Some(group) => group.what.push(what),
            None => groups.push(AlarmGroup { agents, what: vec![what] }),
        }
    }
    groups
}

impl AlarmGroup<'_> {
    /// The names of the agents on one line; empty if there are none.
    pub fn names(&self) -> Line {
        Line::joined(self.agents.iter().map(|agent| Line::of(Tone::Strong, agent.clone())), ", ")
    }
}

/// The sign of a block and its tone.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The sign.
    pub sign: Line,
    /// How loud the block is.
    pub tone: Tone,
}

/// An agent, or a change that several agents share.
#[derive(Clone, Debug)]
pub struct Block {
    /// The agent; none of a change that several share.
    pub key: Option<Key>,
    /// The sign in the margin.
    pub mark: Mark,
    /// Its name.
    pub title: Line,
    /// What becomes of it.
    pub state: Line,
    /// Where it is declared.
    pub origin: Option<Theirs>,
    /// The agents that share the change, each with what becomes of it.
    pub reach: Vec<Line>,
    /// Whether each of `reach` has a line of its own.
    pub reach_in_lines: bool,
    /// What else a reader should know before the values.
    pub notes: Vec<Line>,
    /// What runs before a version is published.
    pub program: Option<Program>,
    /// Phone numbers that change hands.
    pub moves: Vec<Move>,
    /// Phone slots that only follow a new version.
    pub following: usize,
    /// Values.
    pub rows: Vec<Row>,
    /// What stays, and where else to look.
    pub remarks: Vec<Line>,
    /// What `apply` will do, where everything is asked for.
    pub steps: Vec<Theirs>,
    /// Whether a reviewer should look at it twice.
    pub is_risky: bool,
}

/// A program that runs before a version is published. It is shown whole: what a list cuts off is where a second program
/// would hide.
#[derive(Clone, Debug)]
pub struct Program {
    /// What becomes of it, after "`verify`".
    pub fate: &'static str,
    /// What runs and ran, and with what variables: each argument in quotes of its own.
    pub rows: Vec<(&'static str, Vec<Theirs>)>,
    /// Why to look twice.
    pub risk: &'static str,
}

/// The mark in front of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowMark {
    /// None.
    #[default]
    None,
    /// Look twice.
    Look,
    /// Changed on the service.
    Drift,
}

/// One phone slot that changes hands.
#[derive(Clone, Debug)]
pub struct Move {
    /// The mark.
    pub mark: RowMark,
    /// The number.
    pub number: Theirs,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// Who holds it.
    pub from: Line,
    /// Who will hold it.
    pub to: Line,
    /// What is said behind it.
    pub remark: Option<Line>,
    /// What is said below it.
    pub notes: Vec<Line>,
}

/// One changed value, or the values below one path.
#[derive(Clone, Debug)]
pub struct Row {
    /// The mark.
    pub mark: RowMark,
    /// What is said before it, of this row and those below it up to the next that has one.
    pub lead: Option<Line>,
    /// The pointer, from the row that it stands in.
    pub path: Theirs,
    /// What is said behind it.
    pub remark: Option<Line>,
    /// What is said below it.
    pub notes: Vec<Line>,
    /// The sides of a conflict.
    pub sides: Option<Sides>,
    /// What became of it.
    pub seen: Seen,
}

/// The three sides of a conflict.
#[derive(Clone, Debug)]
pub enum Sides {
    /// Three short values: applied last, live, declared. What sort of conflict it is stands before them.
    Values(&'static str, [(&'static str, Line); 3]),
    /// What each side did to what was applied last; `seen` of the row is from live to declared.
    Changes(&'static str, Vec<(&'static str, Seen)>),
}

impl Sides {
    /// What sort of conflict it is.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Values(words, _) | Self::Changes(words, _) => words,
        }
    }
}

/// What became of a value.
#[derive(Clone, Debug)]
pub enum Seen {
    /// One short value in place of another.
    Turn {
        /// The value before; absent where all is new.
        before: Option<Line>,
        /// The value after.
        after: Line,
        /// By how much a number moved.
        delta: Option<Delta>,
    },
    /// Nothing but a sentence.
    Note(Line),
    /// A text that is changed.
    Prose {
        /// The difference.
        diff: Box<ProseDiff>,
        /// The whole new text, for a medium that can fold it away.
        after: Theirs,
    },
    /// A long text that comes or goes, whole.
    Text {
        /// Whether it comes.
        comes: bool,
        /// How many lines and words.
        size: Line,
        /// The text.
        text: Theirs,
    },
    /// A list.
    Items(Items),
    /// The values below an object.
    Tree(Vec<Row>),
    /// A value that makes room for one of another kind, each shown whole.
    Instead(Box<Seen>, Box<Seen>),
}

/// The change of a list.
#[derive(Clone, Debug)]
pub struct Items {
    /// Items that came or changed, in the order of the new list; behind them those that went.
    pub items: Vec<Item>,
    /// How many are as they were.
    pub unchanged: usize,
    /// The new order, where items that stayed changed places.
    pub order: Vec<Line>,
}

/// One item that came, went or changed.
#[derive(Clone, Debug)]
pub struct Item {
    /// What became of it.
    pub mark: ItemMark,
    /// What it is called: its name, or the whole of a short value.
    pub label: Line,
    /// What it holds or held, or what changed inside; nothing where the label says it all.
    pub seen: Option<Seen>,
}

/// How one agent's change ended.
#[derive(Clone, Debug)]
pub struct OutcomeRow {
    /// What was to be done, as a sign.
    pub sign: &'static str,
    /// Whether all is as it was meant to be.
    pub is_in_place: bool,
    /// The agent, how it ended, what is live, how long it took.
    pub cells: [Line; 4],
}

/// What is no change and is worth a line.
#[derive(Clone, Debug)]
pub struct Note {
    /// What sort, as `Note: `; empty where there is none.
    pub lead: &'static str,
    /// How loud the lead is.
    pub tone: Tone,
    /// The sentence.
    pub what: Line,
}

/// Something to do now.
#[derive(Clone, Debug)]
pub struct Way {
    /// Its name.
    pub name: &'static str,
    /// What it does; empty where the name says it.
    pub what: &'static str,
    /// What to copy, line by line.
    pub copy: Theirs,
    /// The language of that.
    pub language: &'static str,
}

/// One line of the totals.
#[derive(Clone, Debug)]
pub struct Total {
    /// How loud.
    pub tone: Tone,
    /// The line, which is never wrapped.
    pub what: Line,
}

impl Account {
    /// An account of a target, with nothing in it yet.
    pub fn of(target: &Target) -> Self {
        Self { facts: vec![super::words::target(target)], ..Self::default() }
    }

    /// How many changed values it shows.
    pub fn changes(&self) -> usize {
        self.blocks.iter().flat_map(|block| &block.rows).map(|row| row.seen.changes()).sum()
    }
}

impl Block {
    /// A block with a mark and nothing else yet.
    pub(super) fn new(mark: Mark) -> Self {
        Self {
            key: None,
            mark,
            title: Line::default(),
            state: Line::default(),
            origin: None,
            reach: Vec::new(),
            reach_in_lines: false,
            notes: Vec::new(),
            program: None,
            moves: Vec::new(),
            following: 0,
            rows: Vec::new(),
            remarks: Vec::new(),
            steps: Vec::new(),
            is_risky: false,
        }
    }
}

impl Seen {
    /// How many changed values it holds.
    pub fn changes(&self) -> usize {
        match self {
            Self::Turn { .. } | Self::Note(_) | Self::Prose { .. } | Self::Text { .. } => 1,
            Self::Items(items) => {
                let inside = items.items.iter().map(|item| item.seen.as_ref().map_or(1, Self::changes));
                inside.sum::<usize>() + usize::from(!items.order.is_empty())
            }
            Self::Tree(rows) => rows.iter().map(|row| row.seen.changes()).sum(),
            Self::Instead(before, after) => before.changes() + after.changes(),
        }
    }

    /// Whether one line says it all.
    pub fn is_one_line(&self) -> bool {
        match self {
            Self::Turn { .. } | Self::Note(_) => true,
            Self::Items(items) => items.items.iter().all(|item| item.seen.is_none()),
            Self::Prose { .. } | Self::Text { .. } | Self::Tree(_) | Self::Instead(..) => false,
        }
    }
}
