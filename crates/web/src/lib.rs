//! The HTTP front: policy files for others, and later pages and the API.
//! Meets the rest of the house at the store.
