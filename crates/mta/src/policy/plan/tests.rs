//! Tables for plan.
