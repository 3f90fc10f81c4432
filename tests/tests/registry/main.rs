//! The registry, row by row: numbers and names, words, values, golden bytes, the OpenAPI
//! document, and every "no" seen in some scenario.

mod documents;
mod refusals;
mod rows;
mod values;
mod vectors;
