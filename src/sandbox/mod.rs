//! SHELL. The service, embedded: same paths, shapes, errors and quirks as the contract, with every unknown a switch.
