//! What the room promises to others in the house.

mod policy;
