//! The one door to the outside: clock, randomness, DNS, network with TLS, tasks.
