//! Message bodies on disk: append-only segments and large files.
