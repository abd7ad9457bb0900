//! The doctor's checks: a correct world, each fault planted in it, one message judged.
mod catalogue;
mod message;
mod planted;
mod planted_auth;
mod planted_server;
mod questions;
mod world;
