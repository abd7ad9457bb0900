//! What would be demanded of a destination, and why: for the operator who asks. Sends nothing.
