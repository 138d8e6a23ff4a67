//! SHELL. The service as it is on the wire, reader and writer apart.
