//! Forgets what is too old to tell anything.
