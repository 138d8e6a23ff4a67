//! Agents, and changes that several agents share: what becomes of each, where its numbers ring, and its values.

use maud::{Markup, PreEscaped, html};

use super::escape::{class, line, spoken, theirs};
use super::rows::{Shown, is_looked_at, rows};
use crate::render::values::plural;
use crate::render::view::{Block, Move, Program, Theirs};

/// The arrow between two holders. It turns downward on a narrow page.
const ARROW: PreEscaped<&str> = PreEscaped(
    "<svg class=\"arrow\" viewBox=\"0 0 64 12\" width=\"64\" height=\"12\" aria-hidden=\"true\">\
     <path d=\"M1 6h58M54 1l6 5-6 5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"></path></svg>",
);

/// The names of blocks in links. Keys are made of letters, digits and hyphens, so each has its own.
pub(super) fn ids(blocks: &[Block]) -> Vec<String> {
    let id = |(index, block): (usize, &Block)| match &block.key {
        Some(key) => format!("agent-{key}"),
        None => format!("shared-{}", index + 1),
    };
    blocks.iter().enumerate().map(id).collect()
}

/// A block, open: what is folded is not seen by who approves it.
pub(super) fn block(block: &Block, id: &str, shown: &mut Shown) -> Markup {
    let Block {
        key: _,
        mark,
        title,
        state,
        origin,
        reach,
        reach_in_lines: _,
        notes,
        program,
        moves: numbers,
        following,
        rows: values,
        remarks,
        steps,
        is_risky: _,
    } = block;
    html! {
        details.agent id=(id) open="open" {
            summary {
                span.sign class=[class(mark.tone)] { (line(&mark.sign)) }
                h3 { (line(title)) } " " span.state { (line(state)) }
            }
            @if let Some(origin) = origin { p.note { (theirs(origin)) } }
            @if !reach.is_empty() { ul.reach { @for agent in reach { li { (line(agent)) } } } }
            @for note in notes { p.note { (line(note)) } }
            @if let Some(program) = program { (verify(program)) }
            @if !numbers.is_empty() { (moves(numbers)) }
            @if *following > 0 {
                p.note { (plural(*following, "phone number follows", "phone numbers follow")) " the new version" }
            }
            @if !values.is_empty() { (rows(values, shown)) }
            @for remark in remarks { p.note { (line(remark)) } }
            @if !steps.is_empty() { p.note { "Steps: " @for (at, step) in steps.iter().enumerate() { @if at > 0 { ", then " } (theirs(step)) } } }
        }
    }
}

fn verify(program: &Program) -> Markup {
    let Program { fate, rows, risk } = program;
    html! {
        div.risk {
            p { b { code { "verify" } " " (fate) } }
            dl.facts {
                @for (name, texts) in rows {
                    div { dt { (name) } dd { @for text in texts { (theirs(text)) " " } } }
                }
            }
            p { b { "look twice:" } " " (theirs(&Theirs::sentence(*risk))) }
        }
    }
}

/// Where phone numbers ring: who holds each slot, and who will.
pub(super) fn moves(moves: &[Move]) -> Markup {
    html! {
        ul.map {
            @for Move { mark, number, direction, from, to, remark, notes } in moves {
                li.look[is_looked_at(*mark)] {
                    span.number {
                        b { (theirs(number)) } " " (direction)
                        @if let Some(remark) = remark { " " (line(remark)) }
                    }
                    span.end { (spoken("from ")) (line(from)) } (ARROW) span.end { (spoken(" to ")) (line(to)) }
                    @for note in notes { span.note { (line(note)) } }
                }
            }
        }
    }
}
