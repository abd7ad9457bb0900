//! Tables for learning.
