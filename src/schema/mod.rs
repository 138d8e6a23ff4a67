//! PURE, but `fetch`. The service's own JSON Schema: compiled once, asked for faults, defaults, branches and secrets.
