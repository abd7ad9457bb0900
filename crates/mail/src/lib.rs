//! Messages: headers, addresses, dates, MIME tree, charsets, composing, delivery reports, threads.
