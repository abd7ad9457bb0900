//! Tables for sts.
