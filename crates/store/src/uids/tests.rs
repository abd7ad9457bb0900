//! Sets of UIDs against plain sets of numbers.
