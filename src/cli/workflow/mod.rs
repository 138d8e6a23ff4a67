//! What a pipeline gets beside text: annotations, reports of problems, outputs of a step.

pub mod annotate;
pub mod findings;
pub mod outputs;
