//! Placeholder.
#![allow(dead_code)]
mod climate;
mod house;
mod period;
mod water;
