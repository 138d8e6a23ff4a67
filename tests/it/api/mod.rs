//! The client, the pager and the readers against scripted services under a simulated clock, and the socket itself.

mod fake;
mod live;
mod pages;
mod reads;
mod retries;
mod socket;
mod writes;
