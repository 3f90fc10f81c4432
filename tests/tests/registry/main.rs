//! The registry, row by row: numbers and names, words, values, golden bytes, and every "no"
//! seen in some scenario.

mod refusals;
mod rows;
mod values;
mod vectors;
