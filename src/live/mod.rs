//! SHELL. Reads everything and says how complete the reading was.
