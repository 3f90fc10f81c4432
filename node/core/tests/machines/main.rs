//! The machines, tested through their public face with a small programme of their own.

mod askings;
mod availability;
mod doubts;
mod due;
mod fixture;
mod follower;
mod lane;
mod lanes_fixture;
mod liars;
mod mempool;
mod pacer;
mod restarts;
mod reveal;
mod reveal_model;
mod sequencer;
mod terms;
mod wedges;
