//! SHELL. Carries out the plan's steps and reports what became of each.
