//! What is done by the clock: reports, key rotation, and the like.
//! Knows no SMTP and no HTTP server: what is to be sent goes through a door that the program brings.
