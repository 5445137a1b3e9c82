//! The gateway's behaviour, one module each.

mod web;
