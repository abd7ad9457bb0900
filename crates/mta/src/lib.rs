//! Mail in and out: receive, file, submit, schedule, route, deliver, bounce.
