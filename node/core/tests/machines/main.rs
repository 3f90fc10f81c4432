//! The machines, tested through their public face with a small programme of their own.

mod due;
mod fixture;
mod lane;
mod mempool;
mod pacer;
mod restarts;
mod reveal;
mod reveal_model;
mod sequencer;
